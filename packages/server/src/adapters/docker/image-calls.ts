import { Readable } from 'node:stream'
import { EngineNotFound, EngineRefused, EngineUnavailable, messageOf } from '../../domain/errors.ts'
import { parseImageReference } from '../../domain/image/reference.ts'
import type {
  EngineCallOptions,
  EngineImage,
  ImageSearchResult,
  PullProgress,
} from '../../orchestration/ports/engine.ts'
import type { RegistryAuth } from '../../orchestration/ports/wire.ts'
import type { EngineHttp } from './http-client.ts'
import { jsonLines } from './json-lines.ts'
import { pullError, PullState } from './pull.ts'

export interface ImageCallsOptions {
  /** Deadline of one call in milliseconds. */
  readonly callTimeoutMs: number
  /** A pull that says nothing for so long is given up. */
  readonly pullStallMs: number
}

/** The engine's calls on images. */
export class ImageCalls {
  readonly #http: EngineHttp
  readonly #options: ImageCallsOptions

  constructor(http: EngineHttp, options: ImageCallsOptions) {
    this.#http = http
    this.#options = options
  }

  async inspect(reference: string, { signal }: EngineCallOptions): Promise<EngineImage | undefined> {
    try {
      const answer = await this.#http.json<ImageAnswer>({
        method: 'GET',
        path: `/images/${encodeReference(reference)}/json`,
        signal,
      })
      return {
        id: answer.Id,
        repoTags: answer.RepoTags ?? [],
        repoDigests: answer.RepoDigests ?? [],
        sizeBytes: answer.Size,
        command: answer.Config?.Cmd ?? null,
        entrypoint: answer.Config?.Entrypoint ?? null,
      }
    } catch (error) {
      if (error instanceof EngineNotFound) return undefined
      throw error
    }
  }

  async pull(
    reference: string,
    auth: RegistryAuth | null,
    onProgress: (p: PullProgress) => void,
    { signal }: EngineCallOptions,
  ): Promise<void> {
    const stalled = new AbortController()
    const giveUp = (): void => stalled.abort(new DOMException('the pull stands still', 'TimeoutError'))
    let timer = setTimeout(giveUp, this.#options.pullStallMs)
    try {
      const body = await this.#http.open({
        method: 'POST',
        path: '/images/create',
        query: { fromImage: reference },
        headers: { 'X-Registry-Auth': registryHeader(auth) },
        timeoutMs: this.#options.pullStallMs,
        signal: AbortSignal.any([signal, stalled.signal]),
      })
      const state = new PullState()
      for await (const line of jsonLines(body)) {
        clearTimeout(timer)
        timer = setTimeout(giveUp, this.#options.pullStallMs)
        if (typeof line['error'] === 'string') throw pullError(reference, line['error'])
        const progress = state.take(line)
        if (progress !== undefined) onProgress(progress)
      }
    } catch (error) {
      signal.throwIfAborted()
      if (stalled.signal.aborted) throw new EngineUnavailable(`the pull of ${reference} stood still`, { cause: error })
      if (error instanceof EngineNotFound || error instanceof EngineUnavailable) throw error
      throw pullError(reference, messageOf(error))
    } finally {
      clearTimeout(timer)
    }
  }

  async remove(reference: string, { signal }: EngineCallOptions): Promise<void> {
    try {
      await this.#http.buffer({ method: 'DELETE', path: `/images/${encodeReference(reference)}`, signal })
    } catch (error) {
      if (!(error instanceof EngineNotFound)) throw error
    }
  }

  async names(path: string, { signal }: EngineCallOptions): Promise<string[]> {
    const filters = JSON.stringify({ reference: [`${path}*`] })
    const call = { method: 'GET', path: '/images/json', query: { filters }, signal } as const
    const found = await this.#http.json<Pick<ImageAnswer, 'RepoTags'>[]>(call)
    // All names of an image come along with the one that was asked for.
    return found.flatMap(({ RepoTags: names }) => (names ?? []).filter((name) => name.startsWith(path)))
  }

  async import(
    reference: string,
    files: Buffer,
    entrypoint: readonly string[],
    { signal }: EngineCallOptions,
  ): Promise<void> {
    const name = parseImageReference(reference)
    if (name === undefined) throw new EngineRefused(`${reference} is not an image name`)
    const tag = name.tag ?? 'latest'
    const body = await this.#http.open({
      method: 'POST',
      path: '/images/create',
      query: {
        fromSrc: '-',
        repo: name.domain === null ? name.path : `${name.domain}/${name.path}`,
        tag,
        changes: `ENTRYPOINT ${JSON.stringify(entrypoint)}`,
      },
      stream: Readable.from([files]),
      signal,
    })
    for await (const line of jsonLines(body)) {
      if (typeof line['error'] === 'string') throw new EngineRefused(line['error'])
    }
  }

  async search(term: string, { signal }: EngineCallOptions): Promise<ImageSearchResult[]> {
    const answer = await this.#http.json<SearchAnswer[]>({
      method: 'GET',
      path: '/images/search',
      query: { term },
      signal,
    })
    return answer.map((item) => ({
      name: item.name,
      description: item.description ?? '',
      is_automated: item.is_automated ?? false,
      metadata: { is_official: item.is_official ?? false, star_count: item.star_count ?? 0 },
    }))
  }

  async commit(containerUuid: string, repository: string, tag: string, { signal }: EngineCallOptions): Promise<string> {
    // The engine looks at the name after it has made the image, and then leaves that without a name.
    if (parseImageReference(`${repository}:${tag}`) === undefined) {
      throw new EngineRefused(`${repository}:${tag} is not an image name`)
    }
    const { Id } = await this.#http.json<{ Id: string }>({
      method: 'POST',
      path: '/commit',
      query: { container: `zun-${containerUuid}`, repo: repository, tag, pause: true },
      json: {},
      // Copying a large layer takes its time.
      timeoutMs: this.#options.callTimeoutMs * 10,
      signal,
    })
    return Id
  }
}

interface ImageAnswer {
  readonly Id: string
  readonly RepoTags?: string[] | null
  readonly RepoDigests?: string[] | null
  readonly Size: number
  readonly Config?: { readonly Cmd?: string[] | null; readonly Entrypoint?: string[] | null } | null
}

interface SearchAnswer {
  readonly name: string
  readonly description?: string
  readonly is_automated?: boolean
  readonly is_official?: boolean
  readonly star_count?: number
}

/** Slashes belong to the path here, everything else is quoted. */
function encodeReference(reference: string): string {
  return reference.split('/').map(encodeURIComponent).join('/')
}

/**
 * Always sent: without it some engines use the credentials of the user they run as. URL-safe but with its padding, which
 * Node's `base64url` leaves out: an engine takes what it cannot decode for no credentials at all.
 */
function registryHeader(auth: RegistryAuth | null): string {
  const value =
    auth === null ? {} : { username: auth.username, password: auth.password, serveraddress: auth.serverAddress }
  return Buffer.from(JSON.stringify(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}
