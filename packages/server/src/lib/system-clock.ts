import { setTimeout as sleep } from 'node:timers/promises'

export const systemClock = {
  now: () => performance.now(),
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw error
    }
  },
}
