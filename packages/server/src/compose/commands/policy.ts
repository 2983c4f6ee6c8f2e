import { resolve } from 'node:path'
import { credentialsOf } from '../../app/policy/credentials.ts'
import { findPolicyFiles, PolicyFileError, readPolicyFiles, type PolicyPlaces } from '../../app/policy/policy-files.ts'
import { enforceRule, type Target } from '../../domain/policy/check.ts'
import { REGISTERED_RULES } from '../../domain/policy/default-rules.ts'
import { compileRules, problemText, rulesNamedBy, type CompiledRules } from '../../domain/policy/rule-set.ts'
import { ConfigError } from '../config/config-error.ts'
import { policyPlaces } from '../policy-places.ts'
import { StateDir } from '../state-dir.ts'
import { defaultStateDir, parseWords, UsageError, type Streams } from './args.ts'
import { CONFIG_OPTIONS, configArguments, directoriesOf, findConfig, requireConfig } from './config-of.ts'

export const POLICY_HELP = `usage: zund policy list [--format table|json] [--state-dir DIR] [--policy-file FILE]
       zund policy check RULE [--roles ROLE,...] [--project ID] [--user ID] [--target NAME=VALUE]...
                         [--state-dir DIR] [--policy-file FILE]

'list' shows every rule: its name, its check string, whether that is the default, overridden or added by the operator,
and what it guards. 'check' says whether somebody passes a rule, and how each rule behind it comes out.
Exit code 0 when it is allowed, or all rules can be read; 3 when it is denied; 1 when a rule or a file is wrong.

  --state-dir DIR       state directory of the service (default: $ZUND_STATE_DIR, /var/lib/zund for root,
                        else ~/.local/state/zund)
  --config-file FILE    configuration, as of 'zund up'; may be given several times
  --config-dir DIR      likewise
  --policy-file FILE    try this file in the place of the service's own files
  --format FORMAT       of the list: table (default) or json
  --roles ROLE,...      roles of the caller; may be given several times
  --project ID          project of the caller's token
  --user ID             the caller
  --target NAME=VALUE   a field of what is acted on; without any: project_id and user_id of the caller`

const DENIED = 3

const OPTIONS = {
  'state-dir': { type: 'string' },
  'policy-file': { type: 'string' },
  ...CONFIG_OPTIONS,
  format: { type: 'string' },
  roles: { type: 'string', multiple: true },
  project: { type: 'string' },
  user: { type: 'string' },
  target: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parseWords<typeof OPTIONS>>['values']

interface Policy extends CompiledRules {
  readonly defaultRule: string
  /** As they are written in the files. */
  readonly overrides: ReadonlyMap<string, unknown>
}

export function policy(argv: readonly string[], { out, err }: Streams): number {
  const { values, words } = parseWords('policy', argv, OPTIONS)
  const [action, ...more] = words
  if (values.help === true) {
    out(POLICY_HELP)
    return 0
  }
  switch (action) {
    case 'list':
      refuse('list', values, ['roles', 'project', 'user', 'target'])
      return list(values, more, { out, err })
    case 'check':
      refuse('check', values, ['format'])
      return check(values, more, { out, err })
    default:
      throw new UsageError("zund policy: say 'list' or 'check'; see 'zund policy --help'")
  }
}

function refuse(action: string, values: Values, names: readonly (keyof Values)[]): void {
  for (const name of names) {
    if (values[name] !== undefined) throw new UsageError(`zund policy ${action}: --${name} is not for this command`)
  }
}

function list(values: Values, words: readonly string[], { out, err }: Streams): number {
  const { format = 'table' } = values
  if (words.length > 0) throw new UsageError(`zund policy list: '${words[0]}' is not expected`)
  if (format !== 'table' && format !== 'json') {
    throw new UsageError(`zund policy list: --format is '${format}': it is not one of table, json`)
  }
  const read = readPolicy(values)
  const rows = rowsOf(read)
  if (format === 'json') out(JSON.stringify(rows, null, 2))
  else for (const line of tableOf(rows)) out(line)
  return complain(read, err)
}

function check(values: Values, words: readonly string[], { out, err }: Streams): number {
  const [rule, ...more] = words
  if (rule === undefined || more.length > 0) throw new UsageError('zund policy check: give the name of one rule')
  const caller = {
    userId: values.user ?? '',
    userDomainId: 'default',
    projectId: values.project ?? null,
    projectDomainId: values.project === undefined ? null : 'default',
    roles: (values.roles ?? []).flatMap((roles) => roles.split(',')).filter((role) => role !== ''),
  }
  const target =
    values.target === undefined
      ? { project_id: caller.projectId, user_id: caller.userId }
      : Object.fromEntries(values.target.map(field))
  const read = readPolicy(values)
  const decide = (name: string, isAdmin: boolean, on: Target): boolean =>
    enforceRule(name, { ...read, credentials: credentialsOf(caller, isAdmin), target: on })
  const isAdmin = decide('context_is_admin', false, {})
  const allowed = decide(rule, isAdmin, target)
  out(`${allowed ? 'allowed' : 'denied'}   (is_admin is ${isAdmin ? 'True' : 'False'})`)
  const texts = new Map(rowsOf(read).map((row) => [row.name, row.check]))
  for (const name of behind(rule, read)) {
    const how = decide(name, isAdmin, target) ? 'passes' : 'fails '
    out(`  ${how}  ${name}: ${texts.get(name) ?? 'there is no such rule'}`)
  }
  const code = complain(read, err)
  return code === 0 && !allowed ? DENIED : code
}

function field(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`zund policy check: --target is '${text}': it is not of the form NAME=VALUE`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** The rule and all that it leads to. */
function behind(rule: string, { rules, defaultRule }: Policy): Set<string> {
  const names = new Set([rule])
  for (const name of names) {
    const found = rules.get(name)
    if (found === undefined && rules.has(defaultRule)) names.add(defaultRule)
    for (const next of found === undefined ? [] : rulesNamedBy(found)) names.add(next)
  }
  return names
}

function readPolicy(place: Values): Policy {
  const state = new StateDir(resolve(place['state-dir'] ?? defaultStateDir()))
  const found = findConfig(state, configArguments(place))
  const config = requireConfig(found)
  const given = place['policy-file']
  const places: PolicyPlaces =
    given === undefined
      ? policyPlaces(config, [...directoriesOf(found), state.path])
      : { file: resolve(given), dirs: [] }
  const files = findPolicyFiles(places)
  if (given !== undefined && !files.hasMain) throw new ConfigError(`there is no file ${given}`)
  try {
    const overrides = readPolicyFiles(files)
    const defaultRule = config.policyDefaultRule
    return { ...compileRules(overrides, defaultRule), overrides, defaultRule }
  } catch (error) {
    throw error instanceof PolicyFileError ? new ConfigError(error.message) : error
  }
}

interface Row {
  readonly name: string
  readonly check: string
  readonly origin: 'default' | 'overridden' | 'added'
  readonly description: string
}

function rowsOf({ overrides }: Policy): Row[] {
  const registered = REGISTERED_RULES.map(({ name, check: text, about }): Row => {
    const origin = overrides.has(name) ? 'overridden' : 'default'
    return { name, check: origin === 'default' ? text : written(overrides.get(name)), origin, description: about }
  })
  const known = new Set(registered.map(({ name }) => name))
  const added = [...overrides].filter(([name]) => !known.has(name))
  return [
    ...registered,
    ...added.map(([name, rule]): Row => ({ name, check: written(rule), origin: 'added', description: '' })),
  ]
}

function written(rule: unknown): string {
  return typeof rule === 'string' ? rule : (JSON.stringify(rule) ?? '')
}

function tableOf(rows: readonly Row[]): string[] {
  const cells = rows.map((row) => [row.name, row.check === '' ? '""' : row.check, row.origin, row.description])
  const head = ['NAME', 'CHECK', 'ORIGIN', 'DESCRIPTION']
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  return [head, ...cells].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function complain({ problems }: Policy, err: Streams['err']): number {
  for (const problem of problems) err(`zund policy: ${problemText(problem)}`)
  return problems.length === 0 ? 0 : 1
}
