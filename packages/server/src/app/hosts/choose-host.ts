import type { Choice } from '../../domain/scheduling/choose.ts'
import type { PciRequest } from '../../domain/scheduling/types.ts'
import type { SchedulerReads } from '../../orchestration/scheduling/host-views.ts'
import { place } from '../../orchestration/scheduling/place.ts'
import type { ContainerSpec } from '../../orchestration/ports/wire.ts'
import type { AppOptions } from '../options.ts'

/** What a request for a container or a capsule says of its host. */
export interface HostRequest {
  readonly uuid: string
  readonly resources: Pick<ContainerSpec, 'cpu' | 'memoryMiB' | 'diskGiB'>
  readonly cpuPolicy?: ContainerSpec['cpuPolicy']
  readonly runtime?: string | null
  readonly availabilityZone: string | null
  readonly hints?: Readonly<Record<string, unknown>>
  /** Host name; null: any. */
  readonly host?: string | null
  readonly pciRequests?: readonly PciRequest[]
  /** Resource providers with room by the count of a cloud; absent: nobody was asked. */
  readonly candidates?: ReadonlySet<string>
}

/**
 * Chooses a host in the transaction that accepts the request. What is chosen is held by inserting the record with
 * `host` and `allocation` as they are given back, in the same transaction.
 */
export async function chooseHost(
  tx: SchedulerReads,
  request: HostRequest,
  options: Pick<AppOptions, 'defaults' | 'serviceDownTimeS' | 'engineGraceMs' | 'scheduler'>,
): Promise<Choice> {
  return await place(
    tx,
    {
      uuid: request.uuid,
      ...request.resources,
      cpuPolicy: request.cpuPolicy ?? 'shared',
      runtime: request.runtime ?? null,
      availabilityZone: request.availabilityZone ?? options.defaults.scheduleZone,
      hints: request.hints ?? {},
      host: request.host ?? null,
      pciRequests: request.pciRequests ?? [],
      refusedBy: [],
      ...(request.candidates === undefined ? {} : { candidates: request.candidates }),
    },
    options,
  )
}
