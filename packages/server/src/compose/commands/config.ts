import { resolve } from 'node:path'
import { referenceLines } from '../config/reference.ts'
import { StateDir } from '../state-dir.ts'
import { defaultStateDir, parseWords, UsageError, type Streams } from './args.ts'
import { CONFIG_OPTIONS, configArguments, findConfig } from './config-of.ts'

export const CONFIG_HELP = `usage: zund config check [--config-file FILE]... [--config-dir DIR]... [--state-dir DIR]
       zund config reference

'check' reads the configuration as 'zund up' would, and says what is wrong with it and what of it has no effect.
'reference' prints every option with its group, type, limits and default, in the form of a zun.conf.
Exit code 0 when the service can start with it; 1 when it cannot, with one line for each mistake.

  --config-file FILE    configuration, later ones win (default: the first of DIR/zun.conf, ~/.zun/zun.conf,
                        ~/zun.conf, /etc/zun/zun.conf, /etc/zun.conf)
  --config-dir DIR      its *.conf come on top (default: the first zun.conf.d in the same places)
  --state-dir DIR       state directory of the service (default: $ZUND_STATE_DIR, /var/lib/zund for root,
                        else ~/.local/state/zund)`

export function config(argv: readonly string[], { out }: Streams): number {
  const { values, words } = parseWords('config', argv, {
    ...CONFIG_OPTIONS,
    'state-dir': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  })
  if (values.help === true) {
    out(CONFIG_HELP)
    return 0
  }
  const [action, ...more] = words
  if (more.length > 0) throw new UsageError(`zund config ${action}: '${more[0]}' is not expected`)
  switch (action) {
    case 'check': {
      const state = new StateDir(resolve(values['state-dir'] ?? defaultStateDir()))
      const { files, config: usable, findings } = findConfig(state, configArguments(values))
      out(files.length === 0 ? 'no file: every option has its default' : `read: ${files.join(', ')}`)
      for (const { level, text } of findings) out(`${level.padEnd(5)}  ${text}`)
      if (findings.length === 0) out('nothing to complain of')
      return usable === null ? 1 : 0
    }
    case 'reference':
      for (const line of referenceLines()) out(line)
      return 0
    default:
      throw new UsageError("zund config: say 'check' or 'reference'; see 'zund config --help'")
  }
}
