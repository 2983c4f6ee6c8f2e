/** The death of one program of a cloud that runs, as by the kernel, and its next start. For tests that run in the cloud. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDaemon, type Daemon, type Started } from './daemons.ts'
import type { Places } from './places.ts'

const POLL_MS = 50

/** kill -9 of it with all that it has started. Resolves when it is gone. */
export async function killDaemon(places: Places, name: string): Promise<void> {
  const { pid } = noted(places, name)
  // It leads a group of its own.
  process.kill(-pid, 'SIGKILL')
  while (isThere(-pid)) await sleep(POLL_MS)
}

/** As it was started before. */
export function startAgain(places: Places, name: string): Started {
  return startDaemon(places, noted(places, name).daemon)
}

function noted(places: Places, name: string): { readonly daemon: Daemon; readonly pid: number } {
  return JSON.parse(readFileSync(places.daemon(name), 'utf8')) as { daemon: Daemon; pid: number }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
