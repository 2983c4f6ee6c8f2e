import { loadConfig } from '../config/load.ts'
import type { Config, OptionName } from '../config/options.ts'
import type { StateDir } from '../state-dir.ts'

/** The configuration of the service in this state directory; nothing is written for it. */
export function configOf(state: StateDir, overrides: Readonly<Partial<Record<OptionName, string>>> = {}): Config {
  return loadConfig({
    files: state.read('zun.conf') === undefined ? [] : [state.file('zun.conf')],
    environment: process.env,
    overrides,
  })
}
