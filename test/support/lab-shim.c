/*
 * Preloaded into linux.uml. User-mode-linux 6.1 keeps a guest's registers in a buffer of fixed size. On processors with
 * a larger extended state (AMX) the kernel refuses to set a partial state (EFAULT), and the guest panics at its first
 * process: "set fp regs failed, errno = 14". Therefore a partial state is merged into the present one.
 */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char whole[1 << 16];

static long set_extended_state(long pid, void *kind, const struct iovec *part)
{
	struct iovec state = { whole, sizeof whole };

	if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, kind, &state) < 0)
		return -1;
	memcpy(whole, part->iov_base, part->iov_len < state.iov_len ? part->iov_len : state.iov_len);
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, kind, &state);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list list;
	va_start(list, request);
	long pid = va_arg(list, int);
	void *address = va_arg(list, void *);
	void *data = va_arg(list, void *);
	va_end(list);

	if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE)
		return set_extended_state(pid, address, data);
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
		/* libc returns the word that the system call writes. */
		long word;
		if (syscall(SYS_ptrace, request, pid, address, &word) < 0)
			return -1;
		errno = 0;
		return word;
	}
	return syscall(SYS_ptrace, request, pid, address, data);
}
