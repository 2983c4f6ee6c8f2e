import { dirname, resolve } from 'node:path'
import { ConfigError } from '../config/config-error.ts'
import { readConfig, type ConfigReading } from '../config/load.ts'
import type { Config, OptionName } from '../config/options.ts'
import { configFiles, type ConfigArguments } from '../config/places.ts'
import type { StateDir } from '../state-dir.ts'

export interface Found extends ConfigReading {
  readonly files: readonly string[]
}

/** Options of every command that reads the configuration. */
export const CONFIG_OPTIONS = {
  'config-file': { type: 'string', multiple: true },
  'config-dir': { type: 'string', multiple: true },
} as const

export interface ConfigValues {
  readonly 'config-file'?: string[] | undefined
  readonly 'config-dir'?: string[] | undefined
}

/** They are read again while the service runs, which may be elsewhere by then. */
export function configArguments(values: ConfigValues): ConfigArguments {
  const absolute = (paths: readonly string[] = []): string[] => paths.map((path) => resolve(path))
  return { files: absolute(values['config-file']), dirs: absolute(values['config-dir']) }
}

/** The configuration of the service in this state directory; nothing is written for it. */
export function findConfig(
  state: StateDir,
  given: ConfigArguments,
  overrides: Readonly<Partial<Record<OptionName, string>>> = {},
): Found {
  const files = configFiles(given, state.path)
  return { files, ...readConfig({ files, environment: process.env, overrides }) }
}

/** ConfigError with the first mistake. */
export function requireConfig({ config, findings }: ConfigReading): Config {
  if (config !== null) return config
  throw new ConfigError(findings.find(({ level }) => level === 'error')?.text)
}

export function directoriesOf({ files }: Found): string[] {
  return [...new Set(files.map((file) => dirname(file)))]
}
