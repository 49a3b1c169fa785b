// SPDX-License-Identifier: BSD-2-Clause
/*
 * params.c - the function's DIE, its parameters' registers, and members by name
 *
 * Where DWARF has a location for the first instruction, that is the register. Unoptimised code
 * tells only where the parameter is stored to afterwards; then the rules of the System V ABI hold
 * (x86-64 psABI 3.2.3), as far as they can be told: an aggregate that is passed by value before the
 * parameter may be in registers or not, and is refused.
 */
#include "src/symbol/params.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/symbol/binaries.h"
#include "src/symbol/inlined.h"

#define MAX_NAME 128
#define MAX_DEPTH 16
#define MAX_ARGS 6

struct params {
	Dwarf *dwarf;
	const struct place *place;
	const char *path;
	char *why;
	struct params_value *out;
};

__attribute__((format(printf, 3, 4))) static int fail(const struct params *self, int err,
						      const char *format, ...)
{
	size_t used = snprintf(self->why, PARAMS_WHY_BYTES, "'%.80s': ", self->path);
	va_list args;

	va_start(args, format);
	vsnprintf(self->why + used, PARAMS_WHY_BYTES - used, format, args);
	va_end(args);
	return err;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute memory, *attribute = dwarf_attr_integrate(die, DW_AT_type, &memory);

	return attribute && dwarf_formref_die(attribute, type) && dwarf_peel_type(type, type) == 0;
}

static bool is_pointer(Dwarf_Die *type)
{
	int tag = dwarf_tag(type);

	return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
	       tag == DW_TAG_rvalue_reference_type;
}

static bool is_aggregate(Dwarf_Die *type)
{
	int tag = dwarf_tag(type);

	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

static bool is_declaration(Dwarf_Die *die)
{
	Dwarf_Attribute memory;
	bool is = false;

	return dwarf_formflag(dwarf_attr(die, DW_AT_declaration, &memory), &is) == 0 && is;
}

/* A unit that only declares a type leaves its members to another one. */
static void find_definition(const struct params *self, Dwarf_Die *type)
{
	const char *name = dwarf_diename(type);
	int tag = dwarf_tag(type);
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit, die;

	if (!is_declaration(type) || !name)
		return;
	while (dwarf_get_units(self->dwarf, cu, &cu, NULL, NULL, &unit, NULL) == 0) {
		int has = dwarf_child(&unit, &die);

		for (; has == 0; has = dwarf_siblingof(&die, &die)) {
			const char *other = dwarf_tag(&die) == tag ? dwarf_diename(&die) : NULL;

			if (!other || strcmp(other, name) != 0 || is_declaration(&die))
				continue;
			*type = die;
			return;
		}
	}
}

static bool begins_here(const struct params *self, Dwarf_Die *die)
{
	Dwarf_Addr entry;

	if (dwarf_tag(die) != DW_TAG_subprogram)
		return false;
	return (dwarf_entrypc(die, &entry) == 0 || dwarf_lowpc(die, &entry) == 0) &&
	       entry == self->place->vaddr;
}

/* Functions stand in units, namespaces and classes; their bodies need not be looked into. */
static bool find_within(const struct params *self, Dwarf_Die *within, Dwarf_Die *function,
			int depth)
{
	Dwarf_Die die;
	int has = depth < MAX_DEPTH ? dwarf_child(within, &die) : 1;

	for (; has == 0; has = dwarf_siblingof(&die, &die)) {
		int tag = dwarf_tag(&die);

		if (begins_here(self, &die)) {
			*function = die;
			return true;
		}
		if ((tag == DW_TAG_namespace || tag == DW_TAG_structure_type ||
		     tag == DW_TAG_class_type || tag == DW_TAG_module) &&
		    find_within(self, &die, function, depth + 1))
			return true;
	}
	return false;
}

static bool find_function(const struct params *self, Dwarf_Die *function)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit;

	if (dwarf_addrdie(self->dwarf, self->place->vaddr, &unit) &&
	    find_within(self, &unit, function, 0))
		return true;
	/* not every compiler writes the table of addresses */
	while (dwarf_get_units(self->dwarf, cu, &cu, NULL, NULL, &unit, NULL) == 0)
		if (dwarf_haspc(&unit, self->place->vaddr) != 0 &&
		    find_within(self, &unit, function, 0))
			return true;
	return false;
}

static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute memory;

	return dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &memory));
}

/* The next word of the path into name; what follows it. NULL: it is longer than any. */
static const char *next_name(const char *path, char name[MAX_NAME])
{
	size_t nr = strcspn(path, ".-");

	if (!nr || nr >= MAX_NAME)
		return NULL;
	memcpy(name, path, nr);
	name[nr] = '\0';
	path += nr;
	return path + (*path == '.' ? 1 : *path ? 2 : 0);
}

struct names {
	char text[PARAMS_WHY_BYTES / 2];
	size_t used;
};

/* Those of anonymous members and base classes as well: they are named alike. */
static void add_names(struct names *self, Dwarf_Die *parent, int tag, int depth)
{
	Dwarf_Die die, inner;
	int has = depth < MAX_DEPTH ? dwarf_child(parent, &die) : 1;

	for (; has == 0; has = dwarf_siblingof(&die, &die)) {
		const char *name = dwarf_tag(&die) == tag ? name_of(&die) : NULL;
		size_t room = sizeof(self->text) - self->used;

		if (name && strlen(name) + 3 < room)
			self->used += snprintf(self->text + self->used, room, "%s%s",
					       self->used ? ", " : "", name);
		else if (!name && tag == DW_TAG_member &&
			 (dwarf_tag(&die) == tag || dwarf_tag(&die) == DW_TAG_inheritance) &&
			 type_of(&die, &inner))
			add_names(self, &inner, tag, depth + 1);
	}
}

/* What there is instead, of children with this tag. */
static int list(const struct params *self, Dwarf_Die *parent, int tag, const char *format,
		const char *name)
{
	struct names names = { "", 0 };

	add_names(&names, parent, tag, 0);
	return fail(self, -ENOENT, format, name, names.used ? names.text : "none");
}

/* The DWARF number of the register that it is in at the first instruction, or -1. */
static int register_at_entry(const struct params *self, Dwarf_Die *param)
{
	Dwarf_Attribute memory, *location = dwarf_attr_integrate(param, DW_AT_location, &memory);
	size_t nr = 0;
	Dwarf_Op *ops;

	if (!location || dwarf_getlocation_addr(location, self->place->vaddr, &ops, &nr, 1) != 1 ||
	    nr != 1)
		return -1;
	if (ops[0].atom == DW_OP_regx)
		return ops[0].number < 32 ? (int)ops[0].number : -1;
	return ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31 ? ops[0].atom - DW_OP_reg0 :
									 -1;
}

/* Which argument that register is: psABI figure 3.36 numbers them. */
static int argument_in(const struct params *self, int reg)
{
	static const int sysv[] = { 5, 4, 1, 2, 8, 9 };		 /* rdi rsi rdx rcx r8 r9 */
	static const int go[] = { 0, 3, 2, 5, 4, 8, 9, 10, 11 }; /* rax rbx rcx rdi rsi r8-r11 */
	const int *of = self->place->is_go ? go : sysv;
	int nr = self->place->is_go ? 9 : 6;

	for (int i = 0; i < nr; i++)
		if (of[i] == reg)
			return i;
	return -1;
}

/* How many registers for integers something takes; -1: that cannot be told. */
static int registers_of(Dwarf_Die *type)
{
	Dwarf_Attribute memory;
	Dwarf_Word encoding, bytes;

	if (is_pointer(type) || dwarf_tag(type) == DW_TAG_enumeration_type ||
	    dwarf_tag(type) == DW_TAG_ptr_to_member_type)
		return 1;
	if (is_aggregate(type))
		return dwarf_aggregate_size(type, &bytes) == 0 && bytes > 16 ? 0 : -1;
	if (dwarf_tag(type) != DW_TAG_base_type ||
	    dwarf_formudata(dwarf_attr(type, DW_AT_encoding, &memory), &encoding) != 0 ||
	    dwarf_aggregate_size(type, &bytes) != 0)
		return -1;
	if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float)
		return 0;
	return bytes > 8 ? 2 : 1;
}

/* A large result is written to where a hidden first argument points. */
static int hidden_arguments(Dwarf_Die *function)
{
	Dwarf_Word bytes;
	Dwarf_Die type;

	if (!type_of(function, &type) || !is_aggregate(&type))
		return 0;
	return dwarf_aggregate_size(&type, &bytes) == 0 && bytes > 16 ? 1 : -1;
}

/* By the ABI, from what stands before it. */
static int argument_by_abi(const struct params *self, Dwarf_Die *function, Dwarf_Die *param)
{
	int arg = hidden_arguments(function);
	Dwarf_Die die, type;

	if (self->place->is_go)
		return -1;
	for (int has = dwarf_child(function, &die); has == 0 && arg >= 0;
	     has = dwarf_siblingof(&die, &die)) {
		int nr;

		if (dwarf_tag(&die) != DW_TAG_formal_parameter)
			continue;
		nr = type_of(&die, &type) ? registers_of(&type) : -1;
		if (dwarf_dieoffset(&die) == dwarf_dieoffset(param))
			return nr == 1 ? arg : -1; /* not a double, nor a struct */
		arg = nr < 0 ? -1 : arg + nr;
	}
	return -1;
}

/* The parameter of a number, from 0. */
static bool nth_param(Dwarf_Die *function, unsigned int number, Dwarf_Die *param)
{
	for (int has = dwarf_child(function, param); has == 0; has = dwarf_siblingof(param, param))
		if (dwarf_tag(param) == DW_TAG_formal_parameter && !number--)
			return true;
	return false;
}

static int find_param(const struct params *self, Dwarf_Die *function, const char *name,
		      Dwarf_Die *param)
{
	unsigned int number;

	for (int has = dwarf_child(function, param); has == 0;
	     has = dwarf_siblingof(param, param)) {
		const char *other = dwarf_tag(param) == DW_TAG_formal_parameter ? name_of(param) :
										  NULL;

		if (other && !strcmp(other, name))
			return 0;
	}
	if (sscanf(name, "arg%u", &number) == 1 && nth_param(function, number, param))
		return 0;
	return list(self, function, DW_TAG_formal_parameter,
		    "the function has no parameter '%s'; it has: %s", name);
}

static int place_param(const struct params *self, Dwarf_Die *function, Dwarf_Die *param)
{
	int reg = register_at_entry(self, param);
	int arg = reg >= 0 ? argument_in(self, reg) : argument_by_abi(self, function, param);

	if (arg < 0 || (!self->place->is_go && arg >= MAX_ARGS))
		return fail(self, -ENOTSUP,
			    "in which register that parameter comes cannot be told; count the "
			    "arguments and give argN");
	self->out->arg = arg;
	return 0;
}

static uint64_t offset_of(Dwarf_Die *member)
{
	Dwarf_Attribute memory;
	Dwarf_Word offset = 0;

	dwarf_formudata(dwarf_attr(member, DW_AT_data_member_location, &memory), &offset);
	return offset;
}

/* A member of it, of an anonymous member, or of a base class; its offset is added. */
static bool find_member(const struct params *self, Dwarf_Die *type, const char *name,
			Dwarf_Die *member, uint64_t *offset, int depth)
{
	Dwarf_Die die, inner;
	int has = depth < MAX_DEPTH ? dwarf_child(type, &die) : 1;

	for (; has == 0; has = dwarf_siblingof(&die, &die)) {
		int tag = dwarf_tag(&die);
		const char *other = tag == DW_TAG_member ? dwarf_diename(&die) : NULL;

		if (other && !strcmp(other, name)) {
			*member = die;
			*offset += offset_of(&die);
			return true;
		}
		if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || other ||
		    !type_of(&die, &inner))
			continue;
		find_definition(self, &inner);
		if (find_member(self, &inner, name, member, offset, depth + 1)) {
			*offset += offset_of(&die);
			return true;
		}
	}
	return false;
}

static int add_read(const struct params *self, uint64_t offset, unsigned int bytes)
{
	if (self->out->nr_reads == PARAMS_MAX_READS)
		return fail(self, -ERANGE, "more than %d pointers are followed", PARAMS_MAX_READS);
	if (offset > INT32_MAX)
		return fail(self, -ERANGE, "the offset is too large");
	self->out->reads[self->out->nr_reads++] = (struct params_read){ (int32_t)offset, bytes };
	return 0;
}

/* What a pointer leads to, named after what is wrong if it leads nowhere. */
static int follow(const struct params *self, Dwarf_Die *type, const char *name)
{
	if (is_pointer(type) && !type_of(type, type))
		return fail(self, -ENOENT, "'%s' points to nothing that has members", name);
	find_definition(self, type);
	if (is_aggregate(type))
		return 0;
	return fail(self, -ENOENT, "what stands before '%s' has no members", name);
}

static int check_scalar(const struct params *self, Dwarf_Die *type, Dwarf_Word *bytes)
{
	if (is_pointer(type)) {
		*bytes = 8;
		return 0;
	}
	if (dwarf_aggregate_size(type, bytes) != 0)
		return fail(self, -ENOTSUP, "its size is not known");
	if (*bytes == 1 || *bytes == 2 || *bytes == 4 || *bytes == 8)
		return 0;
	return fail(self, -ENOTSUP, "it has %llu bytes; a key has 1, 2, 4 or 8",
		    (unsigned long long)*bytes);
}

static int walk(const struct params *self, Dwarf_Die *type, const char *rest)
{
	bool is_in_register = true;
	uint64_t offset = 0;
	char name[MAX_NAME];
	Dwarf_Die member;
	Dwarf_Word bytes;
	int err = 0;

	while (*rest && !err) {
		bool is_followed = is_pointer(type);

		rest = next_name(rest, name);
		if (!rest)
			return fail(self, -EINVAL, "a member's name is missing");
		if (is_in_register && !is_followed)
			return fail(self, -ENOTSUP, "it is passed by value, not by a pointer");
		if (is_followed && !is_in_register)
			err = add_read(self, offset, 8);
		if (is_followed)
			offset = 0;
		is_in_register = false;
		err = err ?: follow(self, type, name);
		if (err)
			return err;
		if (!find_member(self, type, name, &member, &offset, 0))
			return list(self, type, DW_TAG_member, "no member '%s'; there is: %s",
				    name);
		if (dwarf_hasattr(&member, DW_AT_bit_size) ||
		    dwarf_hasattr(&member, DW_AT_bit_offset))
			return fail(self, -ENOTSUP, "'%s' is a bit field", name);
		if (!type_of(&member, type))
			return fail(self, -ENOTSUP, "the type of '%s' is not known", name);
	}
	err = err ?: check_scalar(self, type, &bytes);
	if (err)
		return err;
	self->out->bytes = (unsigned int)bytes;
	return is_in_register ? 0 : add_read(self, offset, (unsigned int)bytes);
}

static int resolve(const struct params *self)
{
	Dwarf_Die function, param, type;
	char name[MAX_NAME];
	const char *rest = next_name(self->path, name);
	int err;

	if (!rest)
		return fail(self, -EINVAL, "no parameter's name");
	if (!find_function(self, &function))
		return fail(self, -ENODATA,
			    "names of parameters need debug symbols of the function; count the "
			    "arguments and give u64(arg0+OFFSET)");
	err = find_param(self, &function, name, &param);
	if (err)
		return err;
	if (!type_of(&param, &type))
		return fail(self, -ENOTSUP, "the type of '%s' is not known", name);
	err = place_param(self, &function, &param);
	return err ?: walk(self, &type, rest);
}

int params_resolve(struct params_value *out, struct binaries *binaries, const struct place *place,
		   const char *path, char *why)
{
	struct params self = { .place = place, .path = path, .why = why, .out = out };
	struct binary *binary = binaries_by_file(binaries, place->dev, place->inode);
	int fd = binary ? inlined_dwarf_fd(binary) : -1, err;

	memset(out, 0, sizeof(*out));
	self.dwarf = fd < 0 ? NULL : dwarf_begin(fd, DWARF_C_READ);
	err = self.dwarf ? resolve(&self) :
			   fail(&self, -ENODATA,
				"names of parameters need debug symbols; count the arguments and "
				"give u64(arg0+OFFSET)");
	dwarf_end(self.dwarf);
	if (fd >= 0)
		close(fd);
	return err;
}
