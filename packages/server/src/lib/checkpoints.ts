import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/**
 * Named points of the code where a test may kill or hold the process. In production a no-op. Names, of things before
 * moments: `accept:before`, `step:createContainer:journaled`, `finish:start:after`; docs/design/operations.md has all.
 */
export type Checkpoint = (name: string) => Promise<void>

/** Production's checkpoints do nothing. */
export const noCheckpoints: Checkpoint = async () => undefined

/**
 * Kills this process, as a crash would, when it passes the point that the file names; with a number behind the name, when it
 * passes it so many times from then on. The file is looked at each time, so that a test can arm a process that runs. Where
 * it is, only the environment says; nothing of it can be reached from outside.
 */
export function killingCheckpoint(file: string): Checkpoint {
  let armed = ''
  let left = 0
  return async (passed) => {
    const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
    const [name, times = '1'] = text.split(' ')
    if (text !== armed) [armed, left] = [text, Number(times)]
    if (name !== passed) return
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  }
}

/** Writes the name of every point that is passed to a file, one a line, so that a test learns what there is to kill at. */
export function listingCheckpoint(file: string): Checkpoint {
  return async (passed) => appendFileSync(file, `${passed}\n`)
}

/** What the environment asks for: `ZUND_KILL_FILE`, `ZUND_LIST_POINTS`, both the name of a file, or nothing. */
export function checkpointFrom(environment: Readonly<Record<string, string | undefined>>): Checkpoint {
  const { ZUND_KILL_FILE: killFile, ZUND_LIST_POINTS: listFile } = environment
  if (killFile !== undefined) return killingCheckpoint(killFile)
  return listFile === undefined ? noCheckpoints : listingCheckpoint(listFile)
}
