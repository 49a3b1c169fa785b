// SPDX-License-Identifier: BSD-2-Clause
/*
 * unwind.c - the rules of .eh_frame, each worked out once for an address
 *
 * Nearly every rule of x86-64 is "the frame is rsp or rbp plus n; this register was saved at the
 * frame minus m". That is kept for the address; what is written otherwise (procedure linkage
 * tables, signal frames) is not followed.
 */
#include "src/attach/unwind.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/symbol/maps.h"

#define NR_RULES 65536 /* a power of two */

/* Registers that a function keeps for its caller, and where it went. */
static const uint8_t kept[] = { 3, SAMPLE_REG_BP, 12, 13, 14, 15 };
#define NR_KEPT (sizeof(kept) / sizeof(kept[0]))
#define UNSAVED INT32_MIN

struct rule {
	uint64_t pc; /* 0: empty */
	int32_t cfa_offset;
	int32_t return_at; /* from the frame, as the saved ones */
	int32_t saved_at[NR_KEPT];
	uint8_t cfa_reg;
	bool is_known;
	bool is_end; /* the return address is undefined: a thread's first function */
};

struct file {
	struct map_range range;
	int fd;
	Elf *elf;
	Dwarf_CFI *cfi;
	uint64_t bias; /* address in the process less that in the file */
	bool is_open;
};

struct unwinder {
	pid_t pid;
	struct maps maps;
	struct file *files; /* a row for each of maps.ranges */
	struct rule *rules;
	uint64_t broken, all;
};

int unwinder_new(struct unwinder **out, pid_t pid)
{
	struct unwinder *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;
	elf_version(EV_CURRENT);
	self->pid = pid;
	err = maps_read(&self->maps, pid);
	if (!err) {
		self->files = calloc(self->maps.nr ?: 1, sizeof(*self->files));
		self->rules = calloc(NR_RULES, sizeof(*self->rules));
		if (!self->files || !self->rules)
			err = -ENOMEM;
	}
	if (err) {
		unwinder_free(self);
		return err;
	}
	*out = self;
	return 0;
}

void unwinder_free(struct unwinder *self)
{
	if (!self)
		return;
	for (size_t i = 0; self->files && i < self->maps.nr; i++) {
		if (!self->files[i].is_open)
			continue;
		dwarf_cfi_end(self->files[i].cfi);
		elf_end(self->files[i].elf);
		if (self->files[i].fd >= 0)
			close(self->files[i].fd);
	}
	maps_fini(&self->maps);
	free(self->files);
	free(self->rules);
	free(self);
}

static int open_mapped(const struct unwinder *self, const struct map_range *range)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", self->pid, range->start,
		 range->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/root%s", self->pid, range->path);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The segment that is mapped here tells how far the file was moved. */
static bool find_bias(struct file *self, const struct map_range *range)
{
	size_t nr;

	if (elf_getphdrnum(self->elf, &nr))
		return false;
	for (size_t i = 0; i < nr; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(self->elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
		    !(segment.p_flags & PF_X))
			continue;
		if (range->offset + (range->end - range->start) <= segment.p_offset ||
		    range->offset >= segment.p_offset + segment.p_filesz)
			continue;
		self->bias = range->start - range->offset - (segment.p_vaddr - segment.p_offset);
		return true;
	}
	return false;
}

static void open_file(const struct unwinder *self, struct file *file, const struct map_range *range)
{
	file->is_open = true;
	file->fd = open_mapped(self, range);
	if (file->fd < 0)
		return;
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	if (file->elf && elf_kind(file->elf) == ELF_K_ELF && find_bias(file, range))
		file->cfi = dwarf_getcfi_elf(file->elf);
}

static struct file *file_at(struct unwinder *self, uint64_t pc)
{
	size_t low = 0, high = self->maps.nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (self->maps.ranges[middle].end <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == self->maps.nr || pc < self->maps.ranges[low].start)
		return NULL;
	if (!self->files[low].is_open)
		open_file(self, &self->files[low], &self->maps.ranges[low]);
	return &self->files[low];
}

static bool find_cfa(Dwarf_Frame *frame, struct rule *rule)
{
	Dwarf_Op *ops;
	size_t nr;

	if (dwarf_frame_cfa(frame, &ops, &nr) || nr != 1)
		return false;
	if (ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31) {
		rule->cfa_reg = ops[0].atom - DW_OP_breg0;
		rule->cfa_offset = (int32_t)ops[0].number;
	} else if (ops[0].atom == DW_OP_bregx) {
		rule->cfa_reg = ops[0].number;
		rule->cfa_offset = (int32_t)ops[0].number2;
	} else {
		return false;
	}
	return rule->cfa_reg < SAMPLE_REG_IP;
}

/* Where a register was saved, from the frame; UNSAVED: it has its value still. False: unclear. */
static bool find_saved(Dwarf_Frame *frame, int reg, int32_t *at, bool *is_undefined)
{
	Dwarf_Op memory[3], *ops;
	size_t nr;

	*at = UNSAVED;
	*is_undefined = false;
	if (dwarf_frame_register(frame, reg, memory, &ops, &nr))
		return false;
	if (!nr) {
		*is_undefined = ops != NULL;
		return true;
	}
	if (ops[0].atom != DW_OP_call_frame_cfa || nr > 2)
		return false;
	if (nr == 2 && ops[1].atom != DW_OP_plus_uconst)
		return false;
	*at = nr == 2 ? (int32_t)ops[1].number : 0;
	return true;
}

static void work_out(struct unwinder *self, uint64_t pc, struct rule *rule)
{
	struct file *file = file_at(self, pc);
	Dwarf_Frame *frame = NULL;
	bool is_undefined;

	if (!file || !file->cfi || dwarf_cfi_addrframe(file->cfi, pc - file->bias, &frame))
		return;
	rule->is_known = find_cfa(frame, rule);
	for (size_t i = 0; i < NR_KEPT && rule->is_known; i++)
		rule->is_known = find_saved(frame, kept[i], &rule->saved_at[i], &is_undefined);
	if (find_saved(frame, SAMPLE_REG_IP, &rule->return_at, &is_undefined))
		rule->is_end = is_undefined;
	else
		rule->is_known = false;
	rule->is_known &= rule->is_end || rule->return_at != UNSAVED;
	free(frame);
}

static const struct rule *rule_at(struct unwinder *self, uint64_t pc)
{
	struct rule *rule = &self->rules[(pc * 0x9e3779b97f4a7c15ull) >> 48 & (NR_RULES - 1)];

	if (rule->pc != pc) {
		*rule = (struct rule){ .pc = pc };
		work_out(self, pc, rule);
	}
	return rule;
}

/* The eight bytes at an address of the stack, as far as it was copied. */
static bool peek(const struct sample *sample, uint64_t at, uint64_t *value)
{
	uint64_t offset = at - sample->regs[SAMPLE_REG_SP];

	if (offset > sample->stack_bytes || sample->stack_bytes - offset < sizeof(*value))
		return false;
	memcpy(value, sample->stack + offset, sizeof(*value));
	return true;
}

static bool step_by_rule(const struct sample *sample, const struct rule *rule, uint64_t *regs)
{
	uint64_t cfa = regs[rule->cfa_reg] + rule->cfa_offset;

	if (cfa <= regs[SAMPLE_REG_SP] ||
	    !peek(sample, cfa + rule->return_at, &regs[SAMPLE_REG_IP]))
		return false;
	for (size_t i = 0; i < NR_KEPT; i++)
		if (rule->saved_at[i] != UNSAVED &&
		    !peek(sample, cfa + rule->saved_at[i], &regs[kept[i]]))
			return false;
	regs[SAMPLE_REG_SP] = cfa;
	return true;
}

static bool step_by_pointer(struct unwinder *self, const struct sample *sample, uint64_t *regs)
{
	uint64_t bp = regs[SAMPLE_REG_BP], next, back;

	if (bp < regs[SAMPLE_REG_SP] || !peek(sample, bp, &next) || !peek(sample, bp + 8, &back) ||
	    !file_at(self, back - 1))
		return false;
	regs[SAMPLE_REG_SP] = bp + 16;
	regs[SAMPLE_REG_BP] = next;
	regs[SAMPLE_REG_IP] = back;
	return true;
}

size_t unwind(struct unwinder *self, const struct sample *sample, uint64_t *frames)
{
	uint64_t regs[SAMPLE_NR_REGS];
	bool is_whole = false;
	size_t nr = 0;

	memcpy(regs, sample->regs, sizeof(regs));
	while (nr < UNWIND_MAX_FRAMES) {
		/* a call may be the last instruction of a function: its own byte, not the next */
		uint64_t pc = regs[SAMPLE_REG_IP] - (nr ? 1 : 0);
		const struct rule *rule = rule_at(self, pc);

		frames[nr++] = pc;
		is_whole = rule->is_end;
		if (rule->is_end)
			break;
		if (rule->is_known ? !step_by_rule(sample, rule, regs) :
				     !step_by_pointer(self, sample, regs))
			break;
		if (!regs[SAMPLE_REG_IP]) {
			is_whole = true;
			break;
		}
	}
	self->all++;
	self->broken += !is_whole;
	return nr;
}

void unwinder_quality(const struct unwinder *self, uint64_t *broken, uint64_t *all)
{
	*broken = self->broken;
	*all = self->all;
}
