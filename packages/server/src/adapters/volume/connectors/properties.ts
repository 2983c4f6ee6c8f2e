import { readdir, readFile } from 'node:fs/promises'
import { machine } from 'node:os'
import { join } from 'node:path'
import type { JsonRecord } from '../../openstack/json.ts'

export interface PropertiesOptions {
  /** [DEFAULT] host */
  readonly host: string
  /** [DEFAULT] my_block_storage_ip */
  readonly ip: string
  /** [volume] use_multipath */
  readonly multipath: boolean
  /** Where /etc and /sys are; others than `/` are for tests. */
  readonly root?: string
}

/** What the volume service has to know of this host to let it reach a volume. */
export async function connectorProperties({ host, ip, multipath, root = '/' }: PropertiesOptions): Promise<JsonRecord> {
  const etc = (...path: string[]): string => join(root, 'etc', ...path)
  const initiator = /^InitiatorName=(\S+)$/m.exec(await textOf(etc('iscsi', 'initiatorname.iscsi')))?.[1]
  const nqn = (await textOf(etc('nvme', 'hostnqn'))).trim()
  const nvmeHostId = (await textOf(etc('nvme', 'hostid'))).trim()
  const systemUuid = (await textOf(join(root, 'sys', 'class', 'dmi', 'id', 'product_uuid'))).trim().toLowerCase()
  const channels = await fibreChannels(join(root, 'sys', 'class', 'fc_host'))
  return {
    platform: machine(),
    os_type: 'linux',
    host,
    ip,
    multipath,
    do_local_attach: false,
    ...(initiator === undefined ? {} : { initiator }),
    ...(nqn === '' ? {} : { nqn }),
    ...(nvmeHostId === '' ? {} : { nvme_hostid: nvmeHostId }),
    ...(systemUuid === '' ? {} : { 'system uuid': systemUuid }),
    ...(channels.length === 0
      ? {}
      : { wwpns: channels.map(({ port }) => port), wwnns: channels.map(({ node }) => node) }),
  }
}

async function fibreChannels(directory: string): Promise<{ readonly port: string; readonly node: string }[]> {
  const found = []
  const names: string[] = await readdir(directory).catch(() => [])
  for (const name of names.toSorted()) {
    const bare = async (what: string): Promise<string> =>
      (await textOf(join(directory, name, what))).trim().replace(/^0x/, '')
    if ((await bare('port_state')) !== 'Online') continue
    found.push({ port: await bare('port_name'), node: await bare('node_name') })
  }
  return found
}

async function textOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '')
}
