import type { Checkpoint } from '../orchestration/ports/clock.ts'

/** Production's checkpoints do nothing. */
export const noCheckpoints: Checkpoint = async () => undefined

/**
 * Kills this process, as a crash would, when the named point is passed for the n-th time (`name` or `name#n`). For
 * tests with real processes; named by the environment so that nothing of it is reachable from outside.
 */
export function killingCheckpoint(point: string): Checkpoint {
  const [name = '', count = '1'] = point.split('#')
  let left = Number(count)
  return async (passed) => {
    if (passed !== name) return
    left -= 1
    if (left <= 0) process.kill(process.pid, 'SIGKILL')
  }
}
