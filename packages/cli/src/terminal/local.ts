/** This side of a terminal: raw keys, its size, and that it is given back as it was. */
import { spawnSync } from 'node:child_process'
import type { Context } from '../context.ts'

const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
const NUMBERS: Readonly<Record<(typeof SIGNALS)[number], number>> = { SIGTERM: 15, SIGHUP: 1, SIGQUIT: 3 }

/** Keys come as they are typed, until what is given back is called; however the process ends, it is called. */
export function rawKeys({ stdin }: Pick<Context, 'stdin'>): () => void {
  if (!stdin.isTTY) return () => undefined
  let raw = true
  stdin.setRawMode(true)
  // Node's raw mode goes on putting a carriage return before each line feed of the output. What Node has kept of the
  // terminal, and gives back, is from before.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
  const restore = (): void => {
    if (!raw) return
    raw = false
    stdin.setRawMode(false)
  }
  process.once('exit', restore)
  const onSignal = (name: NodeJS.Signals): void => {
    restore()
    process.exit(128 + (NUMBERS[name as (typeof SIGNALS)[number]] ?? 0))
  }
  for (const name of SIGNALS) process.once(name, onSignal)
  return () => {
    restore()
    process.off('exit', restore)
    for (const name of SIGNALS) process.off(name, onSignal)
  }
}

/** Ctrl-P Ctrl-Q. */
const [FIRST, SECOND] = [0x10, 0x11]

/** Keeps back the first of the keys that leave a program, until it is known what follows. */
export class DetachKeys {
  #held = false

  /** null: leave. */
  read(keys: Buffer): Buffer | null {
    const bytes: number[] = []
    for (const key of keys) {
      if (this.#held) {
        this.#held = false
        if (key === SECOND) return null
        bytes.push(FIRST)
      }
      if (key === FIRST) this.#held = true
      else bytes.push(key)
    }
    return Buffer.from(bytes)
  }
}
