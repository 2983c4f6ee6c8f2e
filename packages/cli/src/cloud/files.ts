import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { codeOf, Failure, messageOf } from '../failures.ts'
import { field } from '../http.ts'
import { nonEmpty } from './non-empty.ts'

type Environment = Readonly<Record<string, string | undefined>>
type Section = Readonly<Record<string, unknown>>

interface Found {
  readonly path: string
  readonly text: string
}

/** clouds.yaml and, beside it or in its own place, secure.yaml. They are read at once and parsed only if they must be. */
export class CloudFiles {
  /** null: there is none. */
  readonly clouds: Found | null
  readonly secure: Found | null
  #parsed: Promise<Readonly<Record<string, Section>>> | undefined

  constructor(clouds: Found | null, secure: Found | null) {
    this.clouds = clouds
    this.secure = secure
  }

  static find(env: Environment): CloudFiles {
    const given = nonEmpty(env['OS_CLIENT_CONFIG_FILE'])
    const home = nonEmpty(env['HOME']) ?? homedir()
    const directories = [
      '.',
      join(nonEmpty(env['XDG_CONFIG_HOME']) ?? join(home, '.config'), 'openstack'),
      '/etc/openstack',
    ]
    const places = given === undefined ? directories.map((directory) => join(directory, 'clouds')) : []
    const usual = first(places.flatMap((place) => [`${place}.yaml`, `${place}.yml`]))
    // What `up` has written is for those who have configured nothing else.
    const local =
      nonEmpty(env['OS_AUTH_URL']) === undefined ? first([join(stateDirectory(env, home), 'clouds.yaml')]) : null
    const clouds = given === undefined ? (usual ?? local) : mustRead(given)
    const secret = nonEmpty(env['OS_CLIENT_SECURE_FILE'])
    const beside = clouds === null ? [] : [join(dirname(clouds.path), 'secure.yaml')]
    const secure =
      secret === undefined
        ? first([...beside, ...directories.map((one) => join(one, 'secure.yaml'))])
        : mustRead(secret)
    return new CloudFiles(clouds, secure)
  }

  async names(): Promise<readonly string[]> {
    return Object.keys(await this.#all())
  }

  async cloud(name: string): Promise<Section> {
    const all = await this.#all()
    const found = Object.hasOwn(all, name) ? all[name] : undefined
    if (found !== undefined) return found
    const names = Object.keys(all)
    const where =
      this.clouds === null ? 'there is no clouds.yaml' : `${this.clouds.path} has ${names.join(', ') || 'none'}`
    throw new Failure(`there is no cloud '${name}': ${where}`)
  }

  async #all(): Promise<Readonly<Record<string, Section>>> {
    this.#parsed ??= this.#parse()
    return await this.#parsed
  }

  async #parse(): Promise<Readonly<Record<string, Section>>> {
    if (this.clouds === null) return {}
    const { parse } = await import('yaml')
    const read = ({ path, text }: Found): Readonly<Record<string, unknown>> => {
      let document: unknown
      try {
        document = parse(text)
      } catch (error) {
        throw new Failure(`${path} cannot be read: ${messageOf(error).split('\n')[0]}`, 1, { cause: error })
      }
      const clouds = field(document, 'clouds')
      if (typeof clouds === 'object' && clouds !== null) return clouds as Readonly<Record<string, unknown>>
      throw new Failure(`${path} has no section 'clouds'`)
    }
    const secrets = this.secure === null ? {} : read(this.secure)
    return Object.fromEntries(
      Object.entries(read(this.clouds)).map(([name, section]) => [name, merged(section, secrets[name]) as Section]),
    )
  }
}

/** The second wins where both have something. */
function merged(one: unknown, other: unknown): unknown {
  if (other === undefined) return one
  if (!isRecord(one) || !isRecord(other)) return other
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])]
  return Object.fromEntries(keys.map((key) => [key, merged(one[key], other[key])]))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** As `up` chooses it. */
function stateDirectory(env: Environment, home: string): string {
  const given = nonEmpty(env['ZUND_STATE_DIR'])
  if (given !== undefined) return given
  if (process.getuid?.() === 0) return '/var/lib/zund'
  return join(nonEmpty(env['XDG_STATE_HOME']) ?? join(home, '.local/state'), 'zund')
}

function first(paths: readonly string[]): Found | null {
  for (const path of paths) {
    try {
      return { path, text: readFileSync(path, 'utf8') }
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error) ?? '')) throw unreadable(path, error)
    }
  }
  return null
}

function mustRead(path: string): Found {
  try {
    return { path, text: readFileSync(path, 'utf8') }
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): Failure {
  return new Failure(`${path} cannot be read: ${codeOf(error) ?? messageOf(error)}`, 1, { cause: error })
}
