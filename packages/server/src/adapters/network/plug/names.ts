import { SystemFault } from '../../../domain/errors.ts'

/** Linux allows 15 characters, and the agents of the network service know interfaces by these of the port's id. */
const ID_CHARACTERS = 11

function startOf(id: string): string {
  // It becomes an argument of programs.
  if (!/^[0-9a-f-]{11,64}$/i.test(id)) throw new SystemFault('network.bad_id', `'${id.slice(0, 80)}' is no id`)
  return id.slice(0, ID_CHARACTERS)
}

/** The end of a port that stays on the host; the agent of a Linux bridge host looks for this very name. */
export const hostEnd = (portId: string): string => `tap${startOf(portId)}`
/** The end that the engine moves into the container and names anew. */
export const containerEnd = (portId: string): string => `t_c${startOf(portId)}`
export const networkBridge = (networkId: string): string => `brq${startOf(networkId)}`
/** Of one port with a filtering bridge before the switch: the bridge, and the pair between it and the switch. */
export const filterBridge = (portId: string): string => `qbr${startOf(portId)}`
export const filterEnd = (portId: string): string => `qvb${startOf(portId)}`
export const switchEnd = (portId: string): string => `qvo${startOf(portId)}`
