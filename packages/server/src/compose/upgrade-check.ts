/** Whether this program can take over what an installation has: what upstream's `zun-status upgrade check` tells. */
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { schemaVersion } from '../adapters/sql/migrate.ts'
import { findPolicyFiles, readPolicyFiles, type PolicyPlaces } from '../app/policy/policy-files.ts'
import { messageOf } from '../domain/errors.ts'
import type { Finding } from './config/findings.ts'
import type { Config } from './config/options.ts'
import { databaseFile } from './roles/shared-control-plane.ts'
import type { StateDir } from './state-dir.ts'
import { CA_FILE, certificateName } from './tls.ts'

/** Worse ones later: the place is the exit code. */
export const RESULTS = ['Success', 'Warning', 'Failure'] as const
export type Result = (typeof RESULTS)[number]

export interface Check {
  readonly name: string
  readonly result: Result
  readonly details: string
}

export interface Installation {
  readonly config: Config
  readonly findings: readonly Finding[]
  readonly state: StateDir
  readonly rules: PolicyPlaces
}

/** A certificate that ends sooner is worth a word. */
const SOON_MS = 30 * 24 * 3_600_000

export function upgradeChecks(installation: Installation): Check[] {
  return [
    check('Configuration', () => configuration(installation)),
    check('Policy Files', () => policy(installation)),
    check('Database Schema', () => database(installation)),
    check('Certificates', () => certificates(installation)),
  ]
}

export function worst(checks: readonly Check[]): Result {
  return RESULTS.findLast((result) => checks.some((one) => one.result === result)) ?? 'Success'
}

type Verdict = readonly [result: Result, details: string]

function check(name: string, look: () => Verdict): Check {
  try {
    const [result, details] = look()
    return { name, result, details }
  } catch (error) {
    return { name, result: 'Failure', details: messageOf(error) }
  }
}

function configuration({ findings }: Installation): Verdict {
  const told = findings.filter(({ level }) => level === 'warn').map(({ text }) => text)
  return told.length === 0 ? ['Success', 'None'] : ['Warning', told.join('; ')]
}

function policy({ rules }: Installation): Verdict {
  const found = findPolicyFiles(rules)
  readPolicyFiles(found)
  const json = found.paths.find((path) => path.endsWith('.json'))
  return json === undefined ? ['Success', 'None'] : ['Warning', `${json} is read; YAML is what upstream goes on with`]
}

function database({ config, state }: Installation): Verdict {
  const file = databaseFile(config, state)
  if (!existsSync(file)) return ['Warning', `there is no ${file} yet; 'zund db sync' makes it`]
  const { newest, missing, unknown } = schemaVersion(file)
  if (unknown.length > 0) return ['Failure', `${file} was changed by a newer program: ${unknown.join(', ')}`]
  if (missing.length > 0)
    return ['Warning', `${file} is at ${newest ?? 'no version'}; 'zund db sync' brings it to ours`]
  return ['Success', 'None']
}

function certificates({ config }: Installation): Verdict {
  const directory = config.tlsDirectory
  const names = [CA_FILE, ...[{}, { host: config.host }].map((part) => `${certificateName(part)}.pem`)]
  const there = names.map((name) => join(directory, name)).filter((file) => existsSync(file))
  // `up` by itself needs none.
  if (there.length === 0) return ['Success', `none in ${directory}`]
  const ends = there.map((file) => ({ file, inMs: Date.parse(endOf(file)) - Date.now() }))
  const over = ends.find(({ inMs }) => inMs <= 0)
  if (over !== undefined) return ['Failure', `${over.file} is over; 'zund certificates renew' makes another`]
  const near = ends.find(({ inMs }) => inMs < SOON_MS)
  if (near !== undefined) return ['Warning', `${near.file} ends in ${Math.floor(near.inMs / 86_400_000)} days`]
  return ['Success', 'None']
}

function endOf(file: string): string {
  return new X509Certificate(readFileSync(file)).validTo
}
