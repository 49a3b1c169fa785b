// SPDX-License-Identifier: BSD-2-Clause
/*
 * replay.c - makes an instruction's stand-in for a trial
 *
 * The kernel's treatment depends on the encoding, not on where a displacement leads: so direct
 * branches and rip-relative operands get distances that the trial chooses, and every other byte
 * stays as in the target. What the other operands need (a register that points to memory, a
 * return address) is told to the trial.
 */
#include "src/site/replay.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <string.h>

#include "src/site/encoding.h"

static int number_of(unsigned int reg)
{
	static const uint16_t numbers[16] = {
		X86_REG_RAX, X86_REG_RCX, X86_REG_RDX, X86_REG_RBX, X86_REG_RSP, X86_REG_RBP,
		X86_REG_RSI, X86_REG_RDI, X86_REG_R8,  X86_REG_R9,  X86_REG_R10, X86_REG_R11,
		X86_REG_R12, X86_REG_R13, X86_REG_R14, X86_REG_R15,
	};

	for (int i = 0; i < 16; i++)
		if (numbers[i] == reg)
			return i;
	return REPLAY_NONE;
}

/* Branches of the whitelist end with their displacement. */
static void bend(struct replay *self, int32_t branch_to)
{
	int width = self->nr_bytes == 2 ? 1 : 4;
	int32_t displacement = branch_to - self->nr_bytes;

	self->kind = REPLAY_BRANCH;
	memcpy(self->bytes + self->nr_bytes - width, &displacement, width);
}

static int take_memory(struct replay *self, const cs_x86 *x86, const x86_op_mem *mem,
		       int32_t data_at)
{
	int32_t displacement = data_at - self->nr_bytes;

	self->has_memory = true;
	if (mem->base == X86_REG_RIP) {
		if (!x86->encoding.disp_offset)
			return -ENOTSUP;
		self->is_relative = true;
		memcpy(self->bytes + x86->encoding.disp_offset, &displacement, 4);
		return 0;
	}
	self->base = number_of(mem->base);
	self->index = number_of(mem->index);
	self->scale = mem->scale;
	self->displacement = mem->disp;
	return self->base < 0 && self->index < 0 ? -ENOTSUP : 0;
}

static enum replay_kind kind_of(csh handle, const cs_insn *in, const cs_x86_op *op)
{
	if (cs_insn_group(handle, in, X86_GRP_RET))
		return REPLAY_RETURN;
	if (!cs_insn_group(handle, in, X86_GRP_JUMP) && !cs_insn_group(handle, in, X86_GRP_CALL))
		return REPLAY_PLAIN;
	return op && op->type == X86_OP_REG ? REPLAY_REGISTER : REPLAY_POINTER;
}

static int take_operands(struct replay *self, csh handle, const cs_insn *in, int32_t data_at)
{
	const cs_x86 *x86 = &in->detail->x86;

	self->kind = kind_of(handle, in, x86->op_count ? &x86->operands[0] : NULL);
	if (self->kind == REPLAY_REGISTER)
		self->base = number_of(x86->operands[0].reg);
	if (in->id == X86_INS_LEA || in->id == X86_INS_NOP)
		return 0;
	for (int i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_MEM)
			return take_memory(self, x86, &x86->operands[i].mem, data_at);
	return 0;
}

static int look(struct replay *self, csh handle, int32_t data_at)
{
	cs_insn *in;
	int err = -ENOTSUP;

	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	if (!cs_disasm(handle, self->bytes, self->nr_bytes, 0, 1, &in))
		return -ENOTSUP;
	if (in->size == self->nr_bytes)
		err = take_operands(self, handle, in, data_at);
	cs_free(in, 1);
	return err;
}

int replay_plan(struct replay *out, const uint8_t *bytes, size_t nr, int32_t branch_to,
		int32_t data_at)
{
	struct replay self = { .nr_bytes = nr, .base = REPLAY_NONE, .index = REPLAY_NONE };
	int64_t to;
	csh handle;
	int err = 0;

	memcpy(self.bytes, bytes, nr);
	if (encoding_branch(bytes, nr, &to)) {
		bend(&self, branch_to);
	} else {
		if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle))
			return -ENOMEM;
		err = look(&self, handle, data_at);
		cs_close(&handle);
	}
	if (!err)
		*out = self;
	return err;
}
