import { Readable } from 'node:stream'
import { EngineConflict } from '../../domain/errors.ts'
import type {
  EngineCallOptions,
  EngineStreams,
  FollowRequest,
  LogStream,
  PathStat,
  ProgramStream,
} from '../../orchestration/ports/engine.ts'
import { EngineHttp } from './http-client.ts'
import { jsonLines } from './json-lines.ts'
import type { InspectAnswer } from './observation.ts'
import { toStatsSample } from './stats.ts'

/** A program's exit code is there a moment after its output has ended. Milliseconds. */
const CODE_PATIENCE_MS = 2_000
const CODE_POLL_MS = 20

/** Connections of a Docker Engine that stay: terminals, followed logs and figures, archives. */
export class DockerStreams implements EngineStreams {
  readonly #http: EngineHttp

  constructor(options: { socketPath: string; callTimeoutMs: number }) {
    // As many as there are streams: how many those may be is decided where they are asked for.
    this.#http = new EngineHttp({
      socketPath: options.socketPath,
      timeoutMs: options.callTimeoutMs,
      maxSockets: Infinity,
    })
  }

  close(): void {
    this.#http.destroy()
  }

  async attachStream(containerUuid: string, { signal }: EngineCallOptions): Promise<ProgramStream> {
    const path = pathOf(containerUuid)
    const { Config, State } = await this.#inspect(containerUuid, signal)
    const left = new AbortController()
    const ended = AbortSignal.any([signal, left.signal])
    try {
      // Asked for before anything can happen: a container that the engine removes at its end cannot be asked afterwards.
      const condition = ['created', 'exited'].includes(State?.Status ?? '') ? 'next-exit' : 'not-running'
      const answer = await this.#http.open({
        method: 'POST',
        path: `${path}/wait`,
        query: { condition },
        signal: ended,
      })
      const code = codeIn(answer)
      const bytes = await this.#http.upgrade({
        method: 'POST',
        path: `${path}/attach`,
        query: { stream: 1, stdin: 1, stdout: 1, stderr: 1, logs: 0 },
        signal,
      })
      bytes.once('close', () => setTimeout(() => left.abort(), 2 * CODE_PATIENCE_MS).unref())
      return {
        tty: Config?.Tty === true,
        bytes,
        resize: async (size, o) => await this.#resize(path, size, o),
        exitCode: async () => await Promise.race([code, patience()]),
      }
    } catch (error) {
      left.abort()
      throw error
    }
  }

  async startExecStream(execId: string, { signal }: EngineCallOptions): Promise<ProgramStream> {
    const path = `/exec/${encodeURIComponent(execId)}`
    const state = await this.#exec(path, signal)
    // The engine itself would hijack the connection first and then say so to the user, as if the program had.
    if (state.Running === true || typeof state.ExitCode === 'number') {
      throw new EngineConflict('The command was started already.')
    }
    const tty = state.ProcessConfig?.tty === true
    const bytes = await this.#http.upgrade({
      method: 'POST',
      path: `${path}/start`,
      json: { Detach: false, Tty: tty },
      signal,
    })
    return {
      tty,
      bytes,
      resize: async (size, o) => await this.#resize(path, size, o),
      exitCode: async (o) =>
        await soon(async () => {
          const { Running, ExitCode } = await this.#exec(path, o.signal)
          return Running === true ? undefined : (ExitCode ?? undefined)
        }),
    }
  }

  async followLogs(containerUuid: string, request: FollowRequest, { signal }: EngineCallOptions): Promise<LogStream> {
    const { Config } = await this.#inspect(containerUuid, signal)
    const { stdout, stderr, timestamps, tail, since } = request
    const bytes = await this.#http.open({
      method: 'GET',
      path: `${pathOf(containerUuid)}/logs`,
      query: { follow: true, stdout, stderr, timestamps, tail: tail ?? 'all', since: since ?? undefined },
      signal,
    })
    return { tty: Config?.Tty === true, bytes }
  }

  async followStats(containerUuid: string, { signal }: EngineCallOptions): Promise<Readable> {
    await this.#inspect(containerUuid, signal)
    const body = await this.#http.open({
      method: 'GET',
      path: `${pathOf(containerUuid)}/stats`,
      query: { stream: true },
      signal,
    })
    return Readable.from(
      (async function* samples() {
        for await (const line of jsonLines(body)) {
          // Of a container that has stopped an engine goes on to send zeroes, read in the year 1.
          if (String(line['read']).startsWith('0001-')) return
          yield toStatsSample(line)
        }
      })(),
      { highWaterMark: 1 },
    )
  }

  async readArchive(
    containerUuid: string,
    path: string,
    { signal }: EngineCallOptions,
  ): Promise<{ stat: PathStat; tar: Readable }> {
    const body = await this.#http.open({
      method: 'GET',
      path: `${pathOf(containerUuid)}/archive`,
      query: { path },
      signal,
    })
    const header = String(body.headers['x-docker-container-path-stat'] ?? '')
    const { name, size, mode, mtime, linkTarget } = JSON.parse(
      Buffer.from(header, 'base64').toString('utf8'),
    ) as PathStat
    return { stat: { name, size, mode, mtime, linkTarget }, tar: body }
  }

  async writeArchive(
    containerUuid: string,
    path: string,
    begin: () => Readable,
    { signal }: EngineCallOptions,
  ): Promise<void> {
    const answer = await this.#http.open({
      method: 'PUT',
      path: `${pathOf(containerUuid)}/archive`,
      query: { path },
      upload: begin,
      signal,
    })
    answer.resume()
  }

  async #inspect(containerUuid: string, signal: AbortSignal): Promise<InspectAnswer> {
    return await this.#http.json<InspectAnswer>({ method: 'GET', path: `${pathOf(containerUuid)}/json`, signal })
  }

  async #exec(path: string, signal: AbortSignal): Promise<ExecState> {
    return await this.#http.json<ExecState>({ method: 'GET', path: `${path}/json`, signal })
  }

  async #resize(path: string, size: { columns: number; rows: number }, { signal }: EngineCallOptions): Promise<void> {
    const query = { h: size.rows, w: size.columns }
    await this.#http.buffer({ method: 'POST', path: `${path}/resize`, query, signal })
  }
}

interface ExecState {
  readonly Running?: boolean
  /** null until it has ended. */
  readonly ExitCode?: number | null
  readonly ProcessConfig?: { readonly tty?: boolean }
}

function pathOf(containerUuid: string): string {
  return `/containers/zun-${encodeURIComponent(containerUuid)}`
}

/** Of the answer to a wait, which comes when the container ends; null when the wait was given up. */
async function codeIn(answer: Readable): Promise<number | null> {
  try {
    let text = ''
    for await (const chunk of answer as AsyncIterable<Buffer>) text += chunk.toString('utf8')
    return (JSON.parse(text) as { StatusCode?: number }).StatusCode ?? null
  } catch {
    return null
  }
}

async function patience(): Promise<null> {
  return await new Promise((resolve) => setTimeout(() => resolve(null), CODE_PATIENCE_MS).unref())
}

async function soon(look: () => Promise<number | undefined>): Promise<number | null> {
  for (const until = Date.now() + CODE_PATIENCE_MS; ; ) {
    const code = await look()
    if (code !== undefined) return code
    if (Date.now() > until) return null
    await new Promise((resolve) => setTimeout(resolve, CODE_POLL_MS))
  }
}
