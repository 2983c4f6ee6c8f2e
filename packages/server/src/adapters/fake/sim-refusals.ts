/** What an engine says to a create that cannot be. */
import { EngineRefused, HostLacks } from '../../domain/errors.ts'
import type { EngineCreateRequest } from '../../orchestration/ports/engine.ts'
import { refuseUnknownCores } from './sim-cores.ts'

export const LEAST_MEMORY_MIB = 6
export const RUNTIMES: readonly string[] = ['runc', 'io.containerd.runc.v2']

export function refuseBadRequest(request: EngineCreateRequest, hostHas?: (path: string) => boolean): void {
  const { runtime, restartPolicy, memoryMiB, mounts } = request
  if (runtime !== null && !RUNTIMES.includes(runtime)) throw new HostLacks(`Unknown runtime specified ${runtime}`)
  if (request.autoRemove && restartPolicy !== null && restartPolicy.name !== 'no') {
    throw new EngineRefused("can't create 'AutoRemove' container with restart policy")
  }
  if (memoryMiB !== 0 && memoryMiB < LEAST_MEMORY_MIB) throw tooLittleMemory()
  if (request.cpuset !== null) refuseUnknownCores(request.cpuset)
  for (const { source } of mounts) {
    if (hostHas?.(source) !== false) continue
    throw new EngineRefused(`invalid mount config for type "bind": bind source path does not exist: ${source}`)
  }
}

export function tooLittleMemory(): EngineRefused {
  return new EngineRefused(`Minimum memory limit allowed is ${LEAST_MEMORY_MIB}MB`)
}
