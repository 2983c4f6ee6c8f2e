import { setTimeout as sleep } from 'node:timers/promises'

const DEADLINE_MS = 30_000
const POLL_MS = 20

/** Asks again and again until there is an answer; for things that another process needs a moment for. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > deadline) throw new Error(`still not so after ${deadlineMs} ms: ${what}`)
    await sleep(POLL_MS)
  }
}
