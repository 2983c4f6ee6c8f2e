import { setTimeout as sleep } from 'node:timers/promises'
import { resolve } from 'node:path'
import { startTicksOf, StateDir } from '../state-dir.ts'
import { defaultStateDir, parseOptions, type Streams } from './args.ts'

export const DOWN_HELP = `usage: zund down [--state-dir DIR]

Stops what 'zund up' started. Containers keep running, and the next 'zund up' knows them.

  --state-dir DIR   state directory of the service (default: $ZUND_STATE_DIR, /var/lib/zund for root,
                    else ~/.local/state/zund)`

/** Milliseconds the service gets to let its operations go before it is killed; the next start resumes them. */
const PATIENCE_MS = 20_000
const POLL_MS = 50

export async function down(argv: readonly string[], { out, err }: Streams): Promise<number> {
  const values = parseOptions('down', argv, { 'state-dir': { type: 'string' }, help: { type: 'boolean', short: 'h' } })
  if (values.help === true) {
    out(DOWN_HELP)
    return 0
  }
  const state = new StateDir(resolve(values['state-dir'] ?? defaultStateDir()))
  const record = state.readRunRecord()
  if (record === undefined || startTicksOf(record.pid) !== record.startTicks) {
    if (record !== undefined) state.removeRunRecord()
    out(`zund is not running in ${state.path}.`)
    return 0
  }
  process.kill(record.pid, 'SIGTERM')
  const deadline = Date.now() + PATIENCE_MS
  while (startTicksOf(record.pid) === record.startTicks) {
    if (Date.now() > deadline) {
      process.kill(record.pid, 'SIGKILL')
      err(`zund (pid ${record.pid}) did not stop in ${PATIENCE_MS / 1000} s and was killed.`)
      break
    }
    await sleep(POLL_MS)
  }
  state.removeRunRecord()
  out('zund has stopped. Containers keep running.')
  return 0
}
