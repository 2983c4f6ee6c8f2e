import { SystemFault } from '../../domain/errors.ts'
import type { LocalImage } from '../ports/drivers.ts'
import type { EngineCreateRequest } from '../ports/engine.ts'
import type { AssignedContainer, Cpuset } from '../ports/wire.ts'
import type { StepContext } from './step.ts'

/** Name of a container's engine container. */
export function engineName(containerUuid: string): string {
  return `zun-${containerUuid}`
}

type Surroundings = Pick<EngineCreateRequest, 'mounts' | 'endpoint' | 'namespaces'>

/** What the engine is asked to make of a container's spec. */
export function engineRequest(
  { op, tools }: Pick<StepContext, 'op' | 'tools'>,
  container: AssignedContainer,
  image: LocalImage,
  surroundings: Surroundings,
): EngineCreateRequest {
  const { spec, uuid, projectId, cpuset } = container
  return {
    ...surroundings,
    name: engineName(uuid),
    containerUuid: uuid,
    projectId,
    generation: op.generation,
    image: image.reference,
    command: spec.command,
    entrypoint: spec.entrypoint,
    environment: spec.environment,
    labels: spec.labels,
    workdir: spec.workdir,
    hostname: spec.hostname,
    exposedPorts: spec.exposedPorts,
    tty: spec.tty,
    interactive: spec.interactive,
    cpu: spec.cpu,
    memoryMiB: spec.memoryMiB,
    diskGiB: spec.diskGiB,
    cpuset: cpusetOf(spec, cpuset, tools.floatingCpus),
    restartPolicy: spec.restartPolicy,
    healthcheck: spec.healthcheck,
    autoRemove: spec.autoRemove,
    privileged: spec.privileged,
    runtime: spec.runtime,
  }
}

function cpusetOf(
  spec: AssignedContainer['spec'],
  cpuset: Cpuset | null,
  floatingCpus: readonly number[],
): Cpuset | null {
  if (spec.cpuPolicy === 'dedicated') {
    if (cpuset === null) throw new SystemFault('recipe.no_cpuset', 'no cores were set aside for it on this host')
    return { ...cpuset, cpus: cpuset.cpus.slice(0, spec.cpu) }
  }
  return floatingCpus.length === 0 ? null : { cpus: [...floatingCpus], mems: [] }
}
