/** The session of the last command, so that the next one need not log in. */
import { hash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { codeOf, Failure } from '../failures.ts'
import { CloudFiles } from './files.ts'
import type { Session } from './login.ts'
import { nonEmpty } from './non-empty.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A token that is over in the middle of a command helps nobody. */
const MARGIN_MS = 60_000

export class Sessions {
  readonly #env: Environment
  readonly #cloud: string | undefined
  readonly #signal: AbortSignal
  readonly #files: CloudFiles
  readonly #path: string

  constructor(env: Environment, cloud: string | undefined, signal: AbortSignal) {
    this.#env = env
    this.#cloud = cloud
    this.#signal = signal
    this.#files = CloudFiles.find(env)
    this.#path = join(cacheDirectory(env), `${this.#key()}.json`)
  }

  /** The one that was kept, or a new one. */
  async present(): Promise<Session> {
    return this.#kept() ?? (await this.renewed())
  }

  async renewed(): Promise<Session> {
    const [{ readSettings }, { login }] = await Promise.all([import('./settings.ts'), import('./login.ts')])
    const settings = await readSettings(this.#env, this.#files, this.#cloud)
    const authority = settings.authority === null ? null : readAuthority(settings.authority)
    const session = await login(settings, { verify: settings.verify, authority }, this.#signal)
    this.#keep({ ...session, trust: { ...session.trust, authority: settings.authority } })
    return session
  }

  /**
   * Everything the session depends on is in the name of its file: another cloud, user, project, or password makes another
   * name, and nothing has to be compared.
   */
  #key(): string {
    const variables = Object.entries(this.#env).filter(([name]) => name.startsWith('OS_'))
    const files = [this.#files.clouds, this.#files.secure]
    const sorted = variables.toSorted(([a], [b]) => (a < b ? -1 : 1))
    return hash('sha256', JSON.stringify([2, this.#cloud ?? null, files, sorted])).slice(0, 40)
  }

  #kept(): Session | undefined {
    try {
      const session = JSON.parse(readFileSync(this.#path, 'utf8')) as Session
      if (session.expiresAt - MARGIN_MS > Date.now()) {
        // Kept is only where it is: the certificates of an authority are renewed in their place.
        const { verify, authority: path } = session.trust
        return { ...session, trust: { verify, authority: path === null ? null : readFileSync(path, 'utf8') } }
      }
      rmSync(this.#path, { force: true })
    } catch {
      // Not there, or not whole: then one logs in.
    }
    return undefined
  }

  /** Not being able to keep it is no reason to fail. */
  #keep(session: Session): void {
    try {
      const directory = dirname(this.#path)
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      chmodSync(directory, 0o700)
      const made = `${this.#path}.${process.pid}`
      writeFileSync(made, JSON.stringify(session), { mode: 0o600 })
      renameSync(made, this.#path)
    } catch {
      return
    }
  }
}

function cacheDirectory(env: Environment): string {
  const home = nonEmpty(env['HOME']) ?? homedir()
  return join(nonEmpty(env['XDG_CACHE_HOME']) ?? join(home, '.cache'), 'zund', 'tokens')
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(`the certificates of OS_CACERT, ${path}, cannot be read: ${codeOf(error)}`, 1, { cause: error })
  }
}
