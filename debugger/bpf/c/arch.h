/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What differs between architectures: the layout of the saved registers and
 * where Go keeps its own. The registers are renumbered to DWARF's order, which
 * is how the byte-code names them.
 */
#ifndef VIGIL_ARCH_H
#define VIGIL_ARCH_H

/* DWARF numbers the byte-code may use; a power of two, see copy_registers. */
#define REGISTERS 32

#if defined(__TARGET_ARCH_x86)

/* Linux, arch/x86/include/asm/ptrace.h: part of the kernel's ABI to tracers. */
struct pt_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	__u64 ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

#define REG_IP(ctx) ((ctx)->ip)
#define REG_SP(ctx) ((ctx)->sp)
#define REG_FP(ctx) ((ctx)->bp)
/* ABIInternal: R14 holds g from the first instruction of a Go function on. */
#define REG_G(ctx) ((ctx)->r14)
/* CALL pushed the return address just below the canonical frame address. */
#define RETURN_IS_PUSHED 1
#define REG_LR(ctx) 0

static __always_inline void copy_registers(__u64 *to, struct pt_regs *ctx)
{
	to[0] = ctx->ax;
	to[1] = ctx->dx;
	to[2] = ctx->cx;
	to[3] = ctx->bx;
	to[4] = ctx->si;
	to[5] = ctx->di;
	to[6] = ctx->bp;
	to[7] = ctx->sp;
	to[8] = ctx->r8;
	to[9] = ctx->r9;
	to[10] = ctx->r10;
	to[11] = ctx->r11;
	to[12] = ctx->r12;
	to[13] = ctx->r13;
	to[14] = ctx->r14;
	to[15] = ctx->r15;
}

#elif defined(__TARGET_ARCH_arm64)

/* Linux, arch/arm64/include/uapi/asm/ptrace.h, struct user_pt_regs. */
struct pt_regs {
	__u64 regs[31], sp, pc, pstate;
};

#define REG_IP(ctx) ((ctx)->pc)
#define REG_SP(ctx) ((ctx)->sp)
#define REG_FP(ctx) ((ctx)->regs[29])
#define REG_G(ctx) ((ctx)->regs[28])
#define RETURN_IS_PUSHED 0
#define REG_LR(ctx) ((ctx)->regs[30])

static __always_inline void copy_registers(__u64 *to, struct pt_regs *ctx)
{
	/* Unrolled: the context may only be read at constant offsets. */
#pragma unroll
	for (int i = 0; i < 31; i++)
		to[i] = ctx->regs[i];
	to[31] = ctx->sp;
}

#else
#error "no register layout for this architecture"
#endif

#endif
