/** How a port says whose it is. */
import type { RemotePort } from '../../../orchestration/ports/wire.ts'
import type { JsonRecord } from '../../openstack/json.ts'
import type { NeutronPort } from './resources.ts'

/** Agents leave the plugging of ports with an owner that begins so to the owner. */
export const DEVICE_OWNER = 'compute:kuryr'
/** Kinds of plugging that are known here. */
export const SUPPORTED: readonly string[] = ['bridge', 'ovs', 'tap']

/** To this container and this host. One whose binding has failed is not. */
export function isTied(port: NeutronPort, { deviceId }: RemotePort, host: string): boolean {
  const isOurs = port.deviceId === deviceId && port.deviceOwner === DEVICE_OWNER && port.hostId === host
  return isOurs && SUPPORTED.includes(port.vifType)
}

export function tie({ deviceId }: RemotePort, host: string): JsonRecord {
  return { device_id: deviceId, device_owner: DEVICE_OWNER, 'binding:host_id': host }
}
