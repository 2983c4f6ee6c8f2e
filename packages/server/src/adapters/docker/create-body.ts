import { InvalidInput } from '../../domain/errors.ts'
import type { EngineCreateRequest, EngineEndpoint } from '../../orchestration/ports/engine.ts'
import type { Cpuset } from '../../orchestration/ports/wire.ts'
import { atLeast } from './http-client.ts'

/** Labels of ours on engine objects; hidden from the API and refused from tenants. */
export const LABEL_PREFIX = 'org.openstack.zund.'
export const LABEL_CONTAINER = `${LABEL_PREFIX}container`
export const LABEL_PROJECT = `${LABEL_PREFIX}project`
export const LABEL_GENERATION = `${LABEL_PREFIX}generation`
/** Whose object it is: several deployments may share an engine, and none may touch another's. */
export const LABEL_DEPLOYMENT = `${LABEL_PREFIX}deployment`
export const LABEL_NETWORK = `${LABEL_PREFIX}network`

/** Limits every container gets, whatever the tenant asks. */
export interface Hardening {
  /** Processes and threads in one container. */
  readonly pidsLimit: number
  /** Size of one log file before it is turned over, as the engine writes it. */
  readonly logMaxSize: string
  readonly logMaxFiles: number
  readonly defaultRuntime: string | null
}

/** Body of `POST /containers/create`. Built field by field: what is not named here cannot be asked for. */
export function createBody(request: EngineCreateRequest, hardening: Hardening, deployment: string, apiVersion: string) {
  for (const name of Object.keys(request.labels)) {
    if (name.startsWith(LABEL_PREFIX)) throw new InvalidInput(`label ${name}: the prefix ${LABEL_PREFIX} is reserved`)
  }
  const { endpoint, restartPolicy, healthcheck } = request
  const runtime = request.runtime ?? hardening.defaultRuntime
  return {
    Image: request.image,
    ...(request.command === null ? {} : { Cmd: request.command }),
    ...(request.entrypoint === null ? {} : { Entrypoint: request.entrypoint }),
    Env: Object.entries(request.environment).map(([key, value]) => `${key}=${value}`),
    Labels: {
      ...request.labels,
      [LABEL_DEPLOYMENT]: deployment,
      [LABEL_CONTAINER]: request.containerUuid,
      [LABEL_PROJECT]: request.projectId,
      [LABEL_GENERATION]: String(request.generation),
    },
    ...(request.workdir === null ? {} : { WorkingDir: request.workdir }),
    ...(request.hostname === null ? {} : { Hostname: request.hostname }),
    Tty: request.tty,
    OpenStdin: request.interactive,
    // With it a shell would end with the first terminal that leaves; without it a program that reads what is piped into it
    // would never see the end of that, and the engine breaks the connection off instead.
    StdinOnce: request.interactive && !request.tty,
    ExposedPorts: Object.fromEntries(request.exposedPorts.map((port) => [port, {}])),
    ...(healthcheck === null || healthcheck.test === null
      ? {}
      : {
          Healthcheck: {
            Test: ['CMD-SHELL', healthcheck.test],
            Interval: nanoseconds(healthcheck.intervalS),
            Timeout: nanoseconds(healthcheck.timeoutS),
            Retries: healthcheck.retries ?? 0,
          },
        }),
    HostConfig: {
      Memory: request.memoryMiB * 1024 * 1024,
      CpuShares: cpuShares(request.cpu),
      ...(request.cpuset === null ? {} : cpusetFields(request.cpuset)),
      ...(request.diskGiB === 0 ? {} : { StorageOpt: { size: `${request.diskGiB}G` } }),
      ...(restartPolicy === null
        ? {}
        : { RestartPolicy: { Name: restartPolicy.name, MaximumRetryCount: restartPolicy.maximumRetryCount } }),
      AutoRemove: request.autoRemove,
      Privileged: request.privileged,
      ...(runtime === null ? {} : { Runtime: runtime }),
      Mounts: request.mounts.map((mount) => ({
        Type: 'bind',
        Source: mount.source,
        Target: mount.destination,
        ReadOnly: false,
      })),
      ...namespacesOf(request),
      ...((endpoint?.dnsServers ?? []).length === 0 ? {} : { Dns: endpoint?.dnsServers }),
      SecurityOpt: request.privileged ? [] : ['no-new-privileges'],
      PidsLimit: hardening.pidsLimit,
      LogConfig: {
        Type: 'json-file',
        Config: { 'max-size': hardening.logMaxSize, 'max-file': String(hardening.logMaxFiles) },
      },
    },
    ...(endpoint === null
      ? {}
      : { NetworkingConfig: { EndpointsConfig: { [endpoint.network]: endpointConfig(endpoint, apiVersion) } } }),
  }
}

/** The engine keeps the id behind the name: one made anew under that name later is not joined. */
function namespacesOf({ namespaces, endpoint }: EngineCreateRequest) {
  if (namespaces !== null && namespaces !== 'shared') {
    const joined = `container:zun-${namespaces.of}`
    return { NetworkMode: joined, IpcMode: joined }
  }
  return {
    NetworkMode: endpoint === null ? 'none' : endpoint.network,
    ...(namespaces === 'shared' ? { IpcMode: 'shareable' } : {}),
  }
}

/**
 * Older engines take a MAC address for a container as a whole only. They would want it for every port that it is ever given
 * on its first network, so they get none there: it comes from whoever makes the end.
 */
export function endpointConfig(endpoint: EngineEndpoint, apiVersion: string) {
  const withMac = atLeast(apiVersion, 1, 44)
  return {
    IPAMConfig: {
      ...(endpoint.ipv4Address === null ? {} : { IPv4Address: endpoint.ipv4Address }),
      ...(endpoint.ipv6Address === null ? {} : { IPv6Address: endpoint.ipv6Address }),
    },
    ...(withMac && endpoint.macAddress !== null ? { MacAddress: endpoint.macAddress } : {}),
  }
}

/** Lists as the kernel reads them. */
export function cpusetFields({ cpus, mems }: Cpuset) {
  return { CpusetCpus: cpus.join(','), ...(mems.length === 0 ? {} : { CpusetMems: mems.join(',') }) }
}

/** 1024 shares a core; 0 is the engine's default. */
export function cpuShares(cpu: number): number {
  return Math.trunc(1024 * cpu)
}

function nanoseconds(seconds: number | null): number {
  return (seconds ?? 0) * 1_000_000_000
}
