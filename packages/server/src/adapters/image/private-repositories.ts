import { mkdirSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Retryable, SystemFault, messageOf } from '../../domain/errors.ts'

interface Entry {
  /** Projects that have fetched from it with credentials of their own. */
  readonly projects: Set<string>
  /** Resolves when the note is on the disk. */
  readonly noted: Promise<void>
  /** Pulls with credentials that run now. */
  inFlight: number
  /** Made in this life, and nothing has come from it yet: may be forgotten again. */
  untouched: boolean
}

/**
 * Repositories whose images are on this host because somebody had credentials for them. The engine's store is one for
 * all projects; what is listed here is given from it only to the projects listed with it.
 *
 * It is noted, on the disk, before such a pull begins: a process that dies in between leaves a note too many, never one
 * too few. What is not listed was fetched without credentials, or put there by the operator: it is for all.
 */
export class PrivateRepositories {
  readonly #path: string
  readonly #entries: Map<string, Entry>
  #saving: Promise<void> = Promise.resolve()

  /** The file belongs to one engine's store: where one goes, the other must go too. */
  constructor(path: string) {
    this.#path = path
    this.#entries = read(path)
  }

  /** Known to be private? Then only `isOpenTo` says who may have it. */
  isListed(repository: string): boolean {
    return this.#entries.has(repository)
  }

  isOpenTo(repository: string, projectId: string): boolean {
    const entry = this.#entries.get(repository)
    return entry === undefined || entry.projects.has(projectId)
  }

  /** A pull with the project's own credentials begins. */
  async begin(repository: string): Promise<void> {
    const entry = this.#entries.get(repository) ?? this.#list(repository)
    entry.inFlight += 1
    try {
      await entry.noted
    } catch (error) {
      if (this.#entries.get(repository) === entry) this.#entries.delete(repository)
      throw error
    }
  }

  #list(repository: string): Entry {
    const noted = Promise.withResolvers<void>()
    const entry: Entry = { projects: new Set(), noted: noted.promise, inFlight: 0, untouched: true }
    this.#entries.set(repository, entry)
    this.#save().then(noted.resolve, noted.reject)
    return entry
  }

  async succeeded(repository: string, projectId: string): Promise<void> {
    const entry = this.#entries.get(repository)
    if (entry === undefined) return
    entry.inFlight -= 1
    await this.grant(repository, projectId)
  }

  /** `nothingCame`: the store is as it was. Somebody with bad credentials must not take a repository from the others. */
  async failed(repository: string, nothingCame: boolean): Promise<void> {
    const entry = this.#entries.get(repository)
    if (entry === undefined) return
    entry.inFlight -= 1
    if (!nothingCame) entry.untouched = false
    if (!entry.untouched || entry.inFlight > 0) return
    this.#entries.delete(repository)
    await this.#save()
  }

  /** The project has shown that it has access. */
  async grant(repository: string, projectId: string): Promise<void> {
    const entry = this.#entries.get(repository)
    if (entry === undefined || entry.projects.has(projectId)) return
    entry.untouched = false
    entry.projects.add(projectId)
    await this.#save()
  }

  /** Whoever asked without credentials of their own was given it. */
  async opened(repository: string): Promise<void> {
    if (this.#entries.delete(repository)) await this.#save()
  }

  /** One write after the other, each with all that is known by then. */
  async #save(): Promise<void> {
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#write())
    try {
      await this.#saving
    } catch (error) {
      throw new Retryable('image.note_not_written', `${this.#path} cannot be written: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  async #write(): Promise<void> {
    const repositories = Object.fromEntries([...this.#entries].map(([name, { projects }]) => [name, [...projects]]))
    await writeWhole(this.#path, JSON.stringify({ version: 1, repositories }))
  }
}

function read(path: string): Map<string, Entry> {
  mkdirSync(dirname(path), { recursive: true })
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return new Map()
    throw error
  }
  try {
    const { repositories } = JSON.parse(text) as { repositories: Record<string, string[]> }
    return new Map(
      Object.entries(repositories).map(([name, projects]) => [
        name,
        { projects: new Set(projects), noted: Promise.resolve(), inFlight: 0, untouched: false },
      ]),
    )
  } catch (error) {
    // Going on without it would give private images away.
    throw new SystemFault('image.note_unreadable', `${path} is damaged: ${messageOf(error)}`, { cause: error })
  }
}

/** All or nothing, and on the disk when this returns. */
async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
