import { numberIn, textsIn, type JsonRecord } from '../../openstack/json.ts'
import type { ConnectorCall } from './connector.ts'
import { badConnection, told } from './faults.ts'

/** One way to a volume. */
export interface Target {
  readonly portal: string
  readonly iqn: string
  readonly lun: number
}

/** All ways, each once: the one that the volume service names first, then those of its lists. */
export function targetsOf(call: ConnectorCall): Target[] {
  const { data } = call.connection
  const portals = textsIn(data, 'target_portals')
  const iqns = textsIn(data, 'target_iqns')
  const luns = numbersIn(data, 'target_luns')
  const listed = portals.map((portal, n) => ({ portal, iqn: iqns[n] ?? '', lun: luns[n] ?? -1 }))
  const single =
    data['target_portal'] === undefined
      ? []
      : [
          {
            portal: told(call, 'target_portal'),
            iqn: told(call, 'target_iqn'),
            lun: numberIn(data, 'target_lun') ?? -1,
          },
        ]
  const all = new Map([...single, ...listed].map((target) => [JSON.stringify(target), target]))
  for (const { portal, iqn, lun } of all.values()) {
    const isFine = /^[\w.:[\]-]+:\d+$/.test(portal) && /^(?:iqn|eui|naa)\.[\w.:-]+$/.test(iqn) && Number.isInteger(lun)
    if (!isFine || lun < 0) throw badConnection(call.volumeId, 'iscsi', `${iqn} at ${portal}, LUN ${lun}`)
  }
  if (all.size === 0) throw badConnection(call.volumeId, 'iscsi', 'it names no target')
  return [...all.values()]
}

function numbersIn(data: JsonRecord, name: string): number[] {
  const list = data[name]
  return Array.isArray(list) ? list.filter((item) => typeof item === 'number') : []
}
