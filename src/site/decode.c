// SPDX-License-Identifier: BSD-2-Clause
/*
 * decode.c - one instruction at a time through capstone: its length, text, flow and effects
 *
 * Capstone is asked for what it is good at, lengths and operands; whether a probe may sit there
 * is judged from the raw bytes in encoding.c. Effects err to the careful side: a register that
 * is an instruction's first operand counts as written unless the instruction is known to read
 * it only, whatever capstone's access tables say.
 */
#include "src/site/decode.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/site/encoding.h"

struct decoder {
	csh handle;
	cs_insn *insn;
};

int decoder_new(struct decoder **out)
{
	struct decoder *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &self->handle)) {
		free(self);
		return -ENOMEM;
	}
	cs_option(self->handle, CS_OPT_DETAIL, CS_OPT_ON);
	self->insn = cs_malloc(self->handle);
	if (!self->insn) {
		decoder_free(self);
		return -ENOMEM;
	}
	*out = self;
	return 0;
}

void decoder_free(struct decoder *self)
{
	if (!self)
		return;
	if (self->insn)
		cs_free(self->insn, 1);
	cs_close(&self->handle);
	free(self);
}

/* In the order of the arguments, as the bits of enum site_keep. */
static const uint16_t registers[][4] = {
	{ X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL },
	{ X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL },
	{ X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL },
	{ X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL },
	{ X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B },
	{ X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B },
	{ X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL },
};

static uint32_t bit_of(uint16_t reg)
{
	if (reg == X86_REG_DH)
		return 1 << 2;
	if (reg == X86_REG_CH)
		return 1 << 3;
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		for (int width = 0; width < 4; width++)
			if (registers[i][width] == reg)
				return 1u << i;
	return 0;
}

static bool only_reads(unsigned int id)
{
	return id == X86_INS_CMP || id == X86_INS_TEST || id == X86_INS_PUSH || id == X86_INS_NOP ||
	       id == X86_INS_BT || id == X86_INS_JMP || id == X86_INS_CALL;
}

static uint32_t operand_writes(const cs_insn *in)
{
	const cs_x86 *x86 = &in->detail->x86;
	uint32_t bits = 0;

	if (only_reads(in->id))
		return 0;
	for (int i = 0; i < x86->op_count; i++) {
		bool is_written = !i || in->id == X86_INS_XCHG || in->id == X86_INS_XADD;

		if (x86->operands[i].type == X86_OP_REG && is_written)
			bits |= bit_of(x86->operands[i].reg);
		if (x86->operands[i].type == X86_OP_MEM && is_written && in->id != X86_INS_LEA)
			bits |= SITE_KEEP_MEMORY;
	}
	return bits;
}

static uint32_t writes_of(const struct decoder *self, const cs_insn *in)
{
	uint32_t bits = operand_writes(in);
	uint8_t nr_read, nr_written;
	cs_regs read, written;

	if (!cs_regs_access(self->handle, in, read, &nr_read, written, &nr_written))
		for (uint8_t i = 0; i < nr_written; i++)
			bits |= bit_of(written[i]);
	else
		bits = UINT32_MAX;
	if (cs_insn_group(self->handle, in, X86_GRP_CALL))
		bits = UINT32_MAX;
	return bits;
}

/* Through a fixed slot of the image (a GOT entry) a function is left, never looped. */
static bool is_through_image(const cs_x86 *x86)
{
	return x86->op_count == 1 && x86->operands[0].type == X86_OP_MEM &&
	       x86->operands[0].mem.base == X86_REG_RIP &&
	       x86->operands[0].mem.index == X86_REG_INVALID;
}

static enum flow flow_of(const struct decoder *self, const cs_insn *in)
{
	const cs_x86 *x86 = &in->detail->x86;

	if (cs_insn_group(self->handle, in, X86_GRP_CALL))
		return FLOW_CALL;
	if (cs_insn_group(self->handle, in, X86_GRP_JUMP)) {
		if (x86->op_count == 1 && x86->operands[0].type == X86_OP_IMM)
			return FLOW_JUMP;
		return is_through_image(x86) ? FLOW_END : FLOW_INDIRECT;
	}
	if (cs_insn_group(self->handle, in, X86_GRP_RET) ||
	    cs_insn_group(self->handle, in, X86_GRP_INT) ||
	    cs_insn_group(self->handle, in, X86_GRP_IRET) || in->id == X86_INS_UD2 ||
	    in->id == X86_INS_HLT)
		return FLOW_END;
	return in->id == X86_INS_XBEGIN ? FLOW_JUMP : FLOW_NEXT;
}

static void fill(const struct decoder *self, uint64_t offset, struct insn *insn)
{
	const cs_insn *in = self->insn;

	memset(insn, 0, sizeof(*insn));
	insn->site.offset = offset;
	insn->site.nr_bytes = in->size;
	memcpy(insn->site.bytes, in->bytes, in->size);
	snprintf(insn->site.text, sizeof(insn->site.text), "%.15s%s%.46s", in->mnemonic,
		 in->op_str[0] ? " " : "", in->op_str);
	insn->refused = encoding_judge(in->bytes, in->size, &insn->site.class);
	insn->flow = flow_of(self, in);
	insn->writes = writes_of(self, in);
}

bool decoder_read(struct decoder *self, const struct site_text *text, uint64_t offset,
		  struct insn *insn)
{
	const uint8_t *code;
	uint64_t vaddr = text->vaddr + offset;
	size_t left;

	if (offset >= text->nr_bytes)
		return false;
	code = text->bytes + offset;
	left = text->nr_bytes - offset;
	if (!cs_disasm_iter(self->handle, &code, &left, &vaddr, self->insn) ||
	    self->insn->size > SITE_MAX_BYTES ||
	    encoding_is_ambiguous(self->insn->bytes, self->insn->size))
		return false;
	fill(self, offset, insn);
	return true;
}
