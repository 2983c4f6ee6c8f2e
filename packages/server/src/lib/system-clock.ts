import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../orchestration/ports/clock.ts'

export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw error
    }
  },
}
