import { mkdirSync, writeFileSync } from 'node:fs'
import { accepts, startDaemon } from '../daemons.ts'
import { CONTROLLER, type Places } from '../places.ts'

/** RabbitMQ. Its own wrapper script would insist on the distribution's user; the program below it does not. */
export async function startQueue(places: Places): Promise<void> {
  const home = places.data('rabbitmq')
  mkdirSync(home)
  const config = places.etc('rabbitmq.conf')
  writeFileSync(
    config,
    [
      `listeners.tcp.1 = ${CONTROLLER.address}:5672`,
      // The account of the packages may by default not come from elsewhere than loopback.
      'loopback_users = none',
      'vm_memory_high_watermark.absolute = 1GB',
      'disk_free_limit.absolute = 50MB',
      '',
    ].join('\n'),
  )
  const environment = places.etc('rabbitmq-env.conf')
  writeFileSync(
    environment,
    [
      'NODENAME=openstack@localhost',
      `MNESIA_BASE=${home}`,
      `LOG_BASE=${home}`,
      `CONFIG_FILE=${config}`,
      `ENABLED_PLUGINS_FILE=${home}/enabled_plugins`,
      'SERVER_ADDITIONAL_ERL_ARGS="+S 2:2"',
      '',
    ].join('\n'),
  )
  const started = startDaemon(places, {
    name: 'rabbitmq',
    argv: ['/usr/lib/rabbitmq/bin/rabbitmq-server'],
    env: { HOME: home, RABBITMQ_CONF_ENV_FILE: environment },
  })
  await started.ready(async () => accepts(CONTROLLER.address, 5672))
}
