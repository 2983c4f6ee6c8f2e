import { mkdirSync } from 'node:fs'
import { command } from '../commands.ts'
import { answers, startDaemon } from '../daemons.ts'
import { writeIni } from '../ini.ts'
import { URLS, type Places } from '../places.ts'
import { authentication } from './common.ts'
import { databaseOptions } from './database.ts'

export async function startGlance(places: Places): Promise<void> {
  const store = (name: string): { filesystem_store_datadir: string } => {
    mkdirSync(places.data('glance', name), { recursive: true })
    return { filesystem_store_datadir: places.data('glance', name) }
  }
  const file = writeIni(places.etc('glance-api.conf'), {
    DEFAULT: { bind_host: '0.0.0.0', bind_port: 9292, workers: 1, use_stderr: true, enabled_backends: 'files:file' },
    database: databaseOptions('glance'),
    glance_store: { default_backend: 'files' },
    files: store('images'),
    os_glance_staging_store: store('staging'),
    os_glance_tasks_store: store('tasks'),
    keystone_authtoken: authentication('glance'),
    paste_deploy: { flavor: 'keystone', config_file: '/etc/glance/glance-api-paste.ini' },
    oslo_concurrency: { lock_path: places.data('glance', 'lock') },
  })
  await command(places, ['glance-manage', '--config-file', file, 'db_sync'])
  const started = startDaemon(places, { name: 'glance-api', argv: ['glance-api', '--config-file', file] })
  await started.ready(async () => answers(URLS.image))
}
