import { requireConfig } from './config-of.ts'
import { policyPlaces } from '../policy-places.ts'
import { RESULTS, upgradeChecks, worst, type Check } from '../upgrade-check.ts'
import { parseWords, UsageError, type Streams } from './args.ts'
import { directoriesOf } from './config-of.ts'
import { placesOf, ROLE_OPTIONS } from './role.ts'

export const UPGRADE_CHECK_HELP = `usage: zund status upgrade check [--config-file FILE]... [--config-dir DIR]... [--state-dir DIR]

Says whether this program can take over what is there: configuration, policy files, database, certificates. Nothing is
changed, and nothing needs to run.
Exit code 0: it can; 1: something is worth a look; 2: something is in the way; 255: it could not be found out.`

const COULD_NOT = 255

/** `argv` is what stands behind `status`. */
export function upgradeCheck(argv: readonly string[], { out, err }: Streams): number {
  const { values, words } = parseWords('status', argv, { ...ROLE_OPTIONS, help: { type: 'boolean', short: 'h' } })
  if (values.help === true) {
    out(UPGRADE_CHECK_HELP)
    return 0
  }
  if (words.join(' ') !== 'upgrade check') {
    throw new UsageError(`zund status: '${words.join(' ')}' is not expected; see 'zund status upgrade check --help'`)
  }
  try {
    const { state, found } = placesOf(values)
    const rules = policyPlaces(requireConfig(found), [...directoriesOf(found), state.path])
    const checks = upgradeChecks({ config: requireConfig(found), findings: found.findings, state, rules })
    for (const line of table(checks)) out(line)
    return RESULTS.indexOf(worst(checks))
  } catch (error) {
    err(`zund status upgrade check: ${error instanceof Error ? error.message : String(error)}`)
    return COULD_NOT
  }
}

const WIDTH = 70

/** In the form that upstream's has. */
function table(checks: readonly Check[]): string[] {
  const rule = `+${'-'.repeat(WIDTH + 2)}+`
  const row = (text: string): string => `| ${text.padEnd(WIDTH)} |`
  return [
    rule,
    row('Upgrade Check Results'),
    rule,
    ...checks.flatMap(({ name, result, details }) => [
      ...[`Check: ${name}`, `Result: ${result}`, ...wrapped(`Details: ${details}`)].map(row),
      rule,
    ]),
  ]
}

function wrapped(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(last === undefined ? word : `  ${word}`)
  }
  return lines
}
