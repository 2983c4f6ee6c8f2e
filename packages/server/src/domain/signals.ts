/** Linux signals by name, without SIG. */
const SIGNALS = [
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU',
  'XFSZ VTALRM PROF WINCH IO PWR SYS IOT POLL CLD',
]
  .join(' ')
  .split(' ')

const HIGHEST_SIGNAL = 64

/** `SIGKILL`, `KILL`, any case, or a number from 1 to 64; undefined when it is none of them. */
export function parseSignal(text: string): string | undefined {
  if (/^[0-9]{1,2}$/.test(text)) {
    const number = Number(text)
    return number >= 1 && number <= HIGHEST_SIGNAL ? String(number) : undefined
  }
  const name = text.toUpperCase().replace(/^SIG/, '')
  if (SIGNALS.includes(name) || /^RTM(IN(\+[0-9]{1,2})?|AX(-[0-9]{1,2})?)$/.test(name)) return `SIG${name}`
  return undefined
}

/** Numbers of the signals on Linux (amd64, arm64), from 1. */
const BY_NUMBER =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  )

/** `SIGKILL` for 9; `SIGRTMIN+2` and the like have their number after SIG; null: it is no signal. */
export function signalName(number: number): string | null {
  if (!Number.isInteger(number) || number < 1 || number > HIGHEST_SIGNAL) return null
  return `SIG${BY_NUMBER[number - 1] ?? number}`
}
