/**
 * Direct, unqueued requests to a container's host: everything that reads from or talks to a live container.
 * Adapters: adapters/streams/local-host-gateway (same process) and adapters/streams/https-host-gateway (other hosts); both pass
 * test/contract/host-gateway.suite.ts.
 *
 * Every request has a deadline and an answer of bounded size. Errors: those of orchestration/ports/engine.ts, by class;
 * Unavailable when the host cannot be reached.
 */
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type {
  ExecRequest,
  ExecResult,
  ImageSearchResult,
  LogsRequest,
  PathStat,
  StatsSample,
} from '../../orchestration/ports/engine.ts'
import type { ImageRequest, LocalImage } from '../../orchestration/ports/drivers.ts'
import type { Observation, PortData } from '../../orchestration/ports/wire.ts'

export interface TtySize {
  readonly columns: number
  readonly rows: number
}

/** What a host has to know of a network before it can make it. */
export type NetworkPlace = Pick<PortData, 'networkId' | 'networkName' | 'projectId' | 'subnets'>

export interface HostGateway {
  observe(host: string, containerUuid: string, o: CallOptions): Promise<Observation>
  logs(host: string, containerUuid: string, request: LogsRequest, o: CallOptions): Promise<Buffer>
  top(
    host: string,
    containerUuid: string,
    psArgs: string | null,
    o: CallOptions,
  ): Promise<{ Titles: string[]; Processes: string[][] }>
  stats(host: string, containerUuid: string, o: CallOptions): Promise<StatsSample>
  resizeTty(host: string, containerUuid: string, size: TtySize, o: CallOptions): Promise<void>
  /** Creates the exec and runs it to its end, at most `timeoutMs`. */
  execute(
    host: string,
    containerUuid: string,
    request: ExecRequest & { timeoutMs: number; maxBytes: number },
    o: CallOptions,
  ): Promise<ExecResult>
  /** Only creates it; it starts when a terminal connects. */
  createExec(host: string, containerUuid: string, request: ExecRequest, o: CallOptions): Promise<string>
  resizeExec(host: string, containerUuid: string, execId: string, size: TtySize, o: CallOptions): Promise<void>
  /** The whole tar, refused (ApiError 413) when larger than `maxBytes`. */
  getArchive(
    host: string,
    containerUuid: string,
    path: string,
    maxBytes: number,
    o: CallOptions,
  ): Promise<{ stat: PathStat; tar: Buffer }>
  putArchive(host: string, containerUuid: string, path: string, tar: Buffer, o: CallOptions): Promise<void>
  searchImages(host: string, term: string, o: CallOptions): Promise<ImageSearchResult[]>
  /** Makes the engine network if it is not there; gives the engine's id of it. */
  prepareNetwork(host: string, network: NetworkPlace, o: CallOptions): Promise<string>
  /** False when it was not there. Conflict while a container is on it. */
  removeNetwork(host: string, networkId: string, o: CallOptions): Promise<boolean>
  /** `find` of the host's image driver: what is there, as far as this project may have it. */
  findImage(host: string, request: ImageRequest, o: CallOptions): Promise<LocalImage | undefined>
}
