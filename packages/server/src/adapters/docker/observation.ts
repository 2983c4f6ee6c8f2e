import type { EngineContainer } from '../../orchestration/ports/engine.ts'
import type { EngineState, Observation } from '../../orchestration/ports/wire.ts'
import { LABEL_CONTAINER, LABEL_GENERATION } from './create-body.ts'

/** The part of `GET /containers/ID/json` that is used. */
export interface InspectAnswer {
  readonly Id: string
  readonly Name: string
  readonly State?: {
    readonly Status?: string
    readonly OOMKilled?: boolean
    readonly ExitCode?: number
    readonly Error?: string
    readonly StartedAt?: string
    readonly FinishedAt?: string
  }
  readonly RestartCount?: number
  readonly Config?: {
    readonly Hostname?: string
    readonly Tty?: boolean
    readonly Cmd?: string[] | null
    readonly Entrypoint?: string[] | null
    readonly ExposedPorts?: Record<string, unknown> | null
    readonly Labels?: Record<string, string> | null
  }
  readonly HostConfig?: { readonly Runtime?: string }
  readonly NetworkSettings?: { readonly Networks?: Record<string, { readonly EndpointID?: string } | null> | null }
}

const STATES: readonly string[] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']

export function toEngineContainer(answer: InspectAnswer): EngineContainer {
  return {
    containerUuid: answer.Config?.Labels?.[LABEL_CONTAINER] ?? answer.Name.replace(/^\/zun-/, ''),
    engineId: answer.Id,
    seen: toObservation(answer),
    networks: networksOf(answer),
  }
}

/** `none` is the engine's word for no network. One that runs is on a network only if it has an endpoint there. */
function networksOf(answer: InspectAnswer): string[] {
  const isLive = answer.State?.Status === 'running' || answer.State?.Status === 'paused'
  const networks = Object.entries(answer.NetworkSettings?.Networks ?? {})
  return networks
    .filter(([name, endpoint]) => name !== 'none' && (!isLive || (endpoint?.EndpointID ?? '') !== ''))
    .map(([name]) => name)
}

function toObservation(answer: InspectAnswer): Observation {
  const { State: state, Config: config } = answer
  const status = state?.Status ?? 'unknown'
  const generation = Number(config?.Labels?.[LABEL_GENERATION] ?? Number.NaN)
  const startedAtMs = engineTime(state?.StartedAt)
  return {
    state: STATES.includes(status) ? (status as EngineState) : 'unknown',
    engineId: answer.Id,
    generation: Number.isInteger(generation) ? generation : null,
    startedAtMs,
    finishedAtMs: engineTime(state?.FinishedAt),
    exitCode: startedAtMs === null ? null : (state?.ExitCode ?? null),
    oomKilled: state?.OOMKilled ?? false,
    error: state?.Error ?? '',
    restartCount: answer.RestartCount ?? 0,
    hostname: config?.Hostname ?? null,
    ports: portsOf(config?.ExposedPorts),
    runtime: answer.HostConfig?.Runtime ?? null,
    command: config?.Cmd ?? null,
    entrypoint: config?.Entrypoint ?? null,
  }
}

/** Year 1 means never. */
export function engineTime(text: string | undefined): number | null {
  if (text === undefined || text.startsWith('0001-')) return null
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}

function portsOf(exposed: Record<string, unknown> | null | undefined): number[] {
  const ports = Object.keys(exposed ?? {}).map((key) => Number.parseInt(key, 10))
  return [...new Set(ports.filter((port) => Number.isInteger(port)))].sort((a, b) => a - b)
}
