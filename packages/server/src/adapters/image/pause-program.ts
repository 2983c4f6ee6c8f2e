/**
 * A program that waits until it is told to end, as the bytes of a Linux executable: what runs in a sandbox. It needs no
 * libraries and no files, so its image is this file alone, and no registry has to be there for it.
 *
 * It blocks SIGTERM and SIGINT, waits for one of them, and exits with 128 and the signal's number, as a shell would: with
 * exit code 0 an engine would not start it again after a reboot under the policy `on-failure`. As process 1 it would take
 * no notice of a signal that it neither blocks nor handles, and each stop would take ten seconds.
 */

interface Machine {
  /** e_machine of the ELF header. */
  readonly elf: number
  readonly code: () => Buffer
}

const SIGNALS = (1n << 14n) | (1n << 1n)
const SIGSET_BYTES = 8

const MACHINES: Readonly<Record<string, Machine>> = {
  x86_64: { elf: 62, code: codeForX86 },
  aarch64: { elf: 183, code: codeForArm },
}

/** `architecture` as the engine names it; undefined: there is none for it. */
export function pauseProgram(architecture: string): Buffer | undefined {
  const machine = Object.hasOwn(MACHINES, architecture) ? MACHINES[architecture] : undefined
  return machine === undefined ? undefined : executable(machine.elf, machine.code())
}

const HEADER = 64
const SEGMENT = 56
const BASE = 0x400000n
const READ_EXECUTE = 5
const READ_WRITE = 6
const PAGE = 0x10000n

/** ELF with one segment that is the whole file, and a note that the stack need not be executable. */
function executable(machine: number, code: Buffer): Buffer {
  const entry = HEADER + 2 * SEGMENT
  const size = BigInt(entry + code.length)
  const head = Buffer.alloc(entry)
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head)
  head.writeUInt16LE(2, 16) // an executable
  head.writeUInt16LE(machine, 18)
  head.writeUInt32LE(1, 20)
  head.writeBigUInt64LE(BASE + BigInt(entry), 24)
  head.writeBigUInt64LE(BigInt(HEADER), 32) // where the segments are described
  head.writeUInt16LE(HEADER, 52)
  head.writeUInt16LE(SEGMENT, 54)
  head.writeUInt16LE(2, 56)
  segment(head, HEADER, { type: 1, flags: READ_EXECUTE, address: BASE, size, align: PAGE })
  segment(head, HEADER + SEGMENT, { type: 0x6474e551, flags: READ_WRITE, address: 0n, size: 0n, align: 16n })
  return Buffer.concat([head, code])
}

function segment(
  into: Buffer,
  at: number,
  s: { type: number; flags: number; address: bigint; size: bigint; align: bigint },
): void {
  into.writeUInt32LE(s.type, at)
  into.writeUInt32LE(s.flags, at + 4)
  into.writeBigUInt64LE(s.address, at + 16)
  into.writeBigUInt64LE(s.address, at + 24)
  into.writeBigUInt64LE(s.size, at + 32)
  into.writeBigUInt64LE(s.size, at + 40)
  into.writeBigUInt64LE(s.align, at + 48)
}

function signalSet(): Buffer {
  const set = Buffer.alloc(8)
  set.writeBigUInt64LE(SIGNALS)
  return set
}

function codeForX86(): Buffer {
  const set = 72
  const block = [
    [0xb8, 14, 0, 0, 0], // mov eax, rt_sigprocmask
    [0x31, 0xff], // xor edi, edi: SIG_BLOCK
    [0x48, 0x8d, 0x35, set - 14, 0, 0, 0], // lea rsi, [set]
    [0x31, 0xd2], // xor edx, edx
    [0x41, 0xba, SIGSET_BYTES, 0, 0, 0], // mov r10d, 8
    [0x0f, 0x05], // syscall
  ].flat()
  const wait = [
    [0xb8, 128, 0, 0, 0], // mov eax, rt_sigtimedwait
    [0x48, 0x8d, 0x3d, set - block.length - 12, 0, 0, 0], // lea rdi, [set]
    [0x31, 0xf6], // xor esi, esi
    [0x31, 0xd2], // xor edx, edx
    [0x41, 0xba, SIGSET_BYTES, 0, 0, 0], // mov r10d, 8
    [0x0f, 0x05], // syscall
    [0x85, 0xc0], // test eax, eax
    [0x7e, 0x100 - 28], // jle wait: interrupted
  ].flat()
  const exit = [
    [0x8d, 0xb8, 128, 0, 0, 0], // lea edi, [rax + 128]
    [0xb8, 60, 0, 0, 0], // mov eax, exit
    [0x0f, 0x05], // syscall
  ].flat()
  const code = Buffer.alloc(set)
  Buffer.from([...block, ...wait, ...exit]).copy(code)
  return Buffer.concat([code, signalSet()])
}

function codeForArm(): Buffer {
  const movz = (register: number, value: number): number => 0xd2800000 + (value << 5) + register
  /** Address of what lies `words` instructions further on. */
  const adr = (register: number, words: number): number => 0x10000000 + (words << 5) + register
  const call = 0xd4000001
  const set = 20
  const instructions = [
    movz(8, 135), // rt_sigprocmask
    movz(0, 0), // SIG_BLOCK
    adr(1, set - 2),
    movz(2, 0),
    movz(3, SIGSET_BYTES),
    call,
    movz(8, 137), // rt_sigtimedwait
    adr(0, set - 7),
    movz(1, 0),
    movz(2, 0),
    movz(3, SIGSET_BYTES),
    call,
    0x7100001f, // cmp w0, 0
    0x5400000d + ((-7 & 0x7ffff) << 5), // b.le seven back: interrupted
    0x11020000, // add w0, w0, 128
    movz(8, 93), // exit
    call,
  ]
  const code = Buffer.alloc(set * 4)
  for (const [n, instruction] of instructions.entries()) code.writeUInt32LE(instruction, n * 4)
  return Buffer.concat([code, signalSet()])
}
