import { mkdirSync } from 'node:fs'
import { command } from '../commands.ts'
import { answers, startDaemon } from '../daemons.ts'
import { writeIni } from '../ini.ts'
import { CONTROLLER, NFS_EXPORT, TRANSPORT_URL, URLS, type Places } from '../places.ts'
import { authentication, PRIVILEGES } from './common.ts'
import { databaseOptions } from './database.ts'

/** Cinder with one backend, NFS: the only one of its own that needs no block devices of the kernel. */
export async function startCinder(places: Places): Promise<void> {
  for (const name of ['lock', 'mnt']) mkdirSync(places.data('cinder', name), { recursive: true })
  const file = writeIni(places.etc('cinder.conf'), {
    DEFAULT: {
      host: CONTROLLER.name,
      my_ip: CONTROLLER.address,
      use_stderr: true,
      osapi_volume_listen: '0.0.0.0',
      osapi_volume_listen_port: 8776,
      osapi_volume_workers: 1,
      api_paste_config: '/etc/cinder/api-paste.ini',
      resource_query_filters_file: '/etc/cinder/resource_filters.json',
      rootwrap_config: '/etc/cinder/rootwrap.conf',
      auth_strategy: 'keystone',
      state_path: places.data('cinder'),
      transport_url: TRANSPORT_URL,
      glance_api_servers: URLS.image,
      enabled_backends: 'nfs',
      default_volume_type: 'nfs',
      volume_clear: 'none',
    },
    nfs: {
      volume_driver: 'cinder.volume.drivers.nfs.NfsDriver',
      volume_backend_name: 'nfs',
      nas_host: NFS_EXPORT.host,
      nas_share_path: NFS_EXPORT.path,
      nfs_mount_point_base: places.data('cinder', 'mnt'),
      nfs_sparsed_volumes: true,
      nfs_snapshot_support: true,
      nas_secure_file_operations: false,
      nas_secure_file_permissions: false,
      // It does not say so of itself; a file may be opened by many, though.
      extra_capabilities: '{"multiattach": true}',
    },
    database: databaseOptions('cinder'),
    keystone_authtoken: authentication('cinder'),
    oslo_concurrency: { lock_path: places.data('cinder', 'lock') },
    cinder_sys_admin: PRIVILEGES,
    privsep_osbrick: PRIVILEGES,
  })
  await command(places, ['cinder-manage', '--config-file', file, 'db', 'sync'])
  const [api] = ['api', 'scheduler', 'volume'].map((part) =>
    startDaemon(places, { name: `cinder-${part}`, argv: [`cinder-${part}`, '--config-file', file] }),
  )
  await api?.ready(async () => answers(URLS.volume))
}
