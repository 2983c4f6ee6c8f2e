/**
 * Connects to a stream of a container on its host. Adapters: adapters/streams/local-dialer (same process) and
 * adapters/streams/https-dialer (other hosts); both pass test/contract/stream-dialer.suite.ts.
 *
 * The methods are those of EngineStreams (orchestration/ports/engine.ts) for the engine of the host. The signal stays in
 * charge after the call has returned: when it is aborted the stream is destroyed. A stream that is cut is destroyed with
 * an error, in bounded time.
 *
 * Errors: those of orchestration/ports/engine.ts, by class; Unavailable when the host cannot be reached.
 */
import type { Readable } from 'node:stream'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { FollowRequest, LogStream, PathStat, ProgramStream } from '../../orchestration/ports/engine.ts'

export interface StreamDialer {
  /** The main program, from now on: nothing that it wrote before is repeated. */
  attach(host: string, containerUuid: string, o: CallOptions): Promise<ProgramStream>
  /** Starts an exec that was created, and connects to it. */
  exec(host: string, execId: string, o: CallOptions): Promise<ProgramStream>
  logs(host: string, containerUuid: string, request: FollowRequest, o: CallOptions): Promise<LogStream>
  /** Objects of type StatsSample. */
  stats(host: string, containerUuid: string, o: CallOptions): Promise<Readable>
  getArchive(
    host: string,
    containerUuid: string,
    path: string,
    o: CallOptions,
  ): Promise<{ readonly stat: PathStat; readonly tar: Readable }>
  /** Resolves when all of it is unpacked. `begin` gives the tar away, once nothing is known against the request. */
  putArchive(host: string, containerUuid: string, path: string, begin: () => Readable, o: CallOptions): Promise<void>
}
