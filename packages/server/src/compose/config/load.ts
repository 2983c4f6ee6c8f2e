import { readFileSync } from 'node:fs'
import { messageOf } from '../../domain/errors.ts'
import { takeAuthSections } from './auth-sections.ts'
import { loginFindings } from './check-logins.ts'
import { checkTogether } from './check-together.ts'
import { ConfigError } from './config-error.ts'
import { databaseFindings, driverFindings, filterFindings, findingsOf, type Finding } from './findings.ts'
import { IGNORED_OPTIONS } from './ignored-options.ts'
import { takeFormerNames } from './former-names.ts'
import { optionKey, parseIni, type IniValues } from './ini.ts'
import type { Option } from './kinds.ts'
import { OPTIONS, type Config, type OptionName } from './options.ts'

export interface ConfigSources {
  /** Later files win. */
  readonly files: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** From the command line; they win over everything. */
  readonly overrides: Readonly<Partial<Record<OptionName, string>>>
}

export interface ConfigReading {
  /** null: there are errors among the findings. */
  readonly config: Config | null
  readonly findings: readonly Finding[]
}

/** ConfigError with the first mistake. */
export function loadConfig(sources: ConfigSources): Config {
  const { config, findings } = readConfig(sources)
  if (config === null) throw new ConfigError(findings.find(({ level }) => level === 'error')?.text)
  return config
}

/** ConfigError when a file cannot be read at all; every other mistake is a finding. */
export function readConfig({ files, environment, overrides }: ConfigSources): ConfigReading {
  const written: IniValues = new Map()
  for (const file of files) for (const [key, values] of readFile(file)) add(written, key, values)
  for (const [key, value] of fromEnvironment(environment)) written.set(key, [value])
  const findings = [...takeAuthSections(written), ...takeFormerNames(written), ...findingsOf(written)]
  for (const [key, value] of Object.entries(overrides)) {
    const { group, name } = OPTIONS[key as OptionName]
    if (value !== undefined) written.set(optionKey(group, name), [value])
  }
  const values: Record<string, unknown> = {}
  const errors = new Set<string>()
  for (const [key, option] of Object.entries<Option<unknown>>(OPTIONS)) {
    try {
      values[key] = valueOf(option, written)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      errors.add(error.message)
    }
  }
  if (errors.size > 0) return { config: null, findings: [...[...errors].map(asError), ...findings] }
  const config = Object.freeze(values) as Config
  const together = checkTogether(config).map(asError)
  return {
    config: together.length > 0 ? null : config,
    findings: [
      ...together,
      ...databaseFindings(config),
      ...driverFindings(config),
      ...filterFindings(config),
      ...loginFindings(config),
      ...findings,
    ],
  }
}

const asError = (text: string): Finding => ({ level: 'error', text })

function readFile(file: string): IniValues {
  try {
    return parseIni(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ConfigError(`${file}: ${messageOf(error)}`)
  }
}

/** Of an option that may be written several times the values of all files count. */
function add(written: IniValues, key: string, values: readonly string[]): void {
  const isMultiple = Object.values<Option<unknown>>(OPTIONS).some(
    (o) => o.multiple === true && optionKey(o.group, o.name) === key,
  )
  written.set(key, [...(isMultiple ? (written.get(key) ?? []) : []), ...values])
}

/** `OS_<GROUP>__<OPTION>`, for options that are not read, too. */
function fromEnvironment(environment: ConfigSources['environment']): [key: string, value: string][] {
  const groups = [...Object.values<Option<unknown>>(OPTIONS), ...IGNORED_OPTIONS].map(({ group }) => group)
  return Object.entries(environment).flatMap(([variable, value]): [string, string][] => {
    const [, group = '', name = ''] = /^OS_([A-Z0-9_]+?)__([A-Z0-9_]+)$/.exec(variable) ?? []
    if (value === undefined || group === '') return []
    const known = groups.find((candidate) => candidate.toUpperCase() === group) ?? group.toLowerCase()
    return [[optionKey(known, name.toLowerCase()), value]]
  })
}

function valueOf(option: Option<unknown>, written: IniValues): unknown {
  const text = substituted(option, written, [])
  try {
    return option.parse(text)
  } catch (error) {
    const shown = option.secret === true ? '[redacted]' : text
    throw new ConfigError(`option ${option.name} in [${option.group}] is '${shown}': ${messageOf(error)}`)
  }
}

type Named = Pick<Option<unknown>, 'group' | 'name' | 'fallback' | 'multiple'>

/** `$name` is looked up in the option's own group, then in [DEFAULT]; `$$` is a dollar sign. */
function substituted(option: Named, written: IniValues, path: readonly string[]): string {
  const key = optionKey(option.group, option.name)
  if (path.includes(key)) throw new ConfigError(`option ${option.name} in [${option.group}] refers to itself`)
  const values = written.get(key)
  const raw = (option.multiple === true ? values?.join('\n') : values?.at(-1)) ?? option.fallback ?? ''
  return raw.replaceAll(/\$\$|\$\{([\w.-]+)\}|\$(\w+)/g, (whole: string, braced?: string, plain?: string) => {
    if (whole === '$$') return '$'
    const name = braced ?? plain ?? ''
    const at = name.lastIndexOf('.')
    for (const group of at < 0 ? [option.group, 'DEFAULT'] : [name.slice(0, at)]) {
      const other = named(group, name.slice(at + 1), written)
      if (other !== undefined) return substituted(other, written, [...path, key])
    }
    throw new ConfigError(`option ${option.name} in [${option.group}] refers to ${whole}, which is not set`)
  })
}

function named(group: string, name: string, written: IniValues): Named | undefined {
  const key = optionKey(group, name)
  const known = Object.values<Option<unknown>>(OPTIONS).find((o) => optionKey(o.group, o.name) === key)
  if (known !== undefined) return known
  return written.has(key) ? { group, name, fallback: undefined } : undefined
}
