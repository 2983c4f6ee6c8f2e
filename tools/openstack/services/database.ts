import { mkdirSync } from 'node:fs'
import { command } from '../commands.ts'
import { startDaemon } from '../daemons.ts'
import { writeIni, type Groups } from '../ini.ts'
import { CONTROLLER, type Places } from '../places.ts'

const USER = 'openstack'
const DATABASES = ['keystone', 'glance', 'placement', 'neutron', 'cinder', 'heat']

/** As root throughout: the directory need not be one that the distribution's own user can reach. */
export async function startDatabase(places: Places): Promise<void> {
  const directory = places.data('mariadb')
  mkdirSync(directory)
  const account = ['--user=root', '--auth-root-authentication-method=socket', '--skip-test-db']
  await command(places, ['mariadb-install-db', '--no-defaults', `--datadir=${directory}`, ...account])
  const file = writeIni(places.etc('mariadb.cnf'), {
    mariadbd: {
      user: 'root',
      datadir: directory,
      socket: places.databaseSocket,
      'pid-file': places.data('mariadb.pid'),
      'bind-address': CONTROLLER.address,
      port: 3306,
      'skip-name-resolve': 1,
      max_connections: 500,
      innodb_buffer_pool_size: '96M',
      // Nothing here is meant to outlive a power cut.
      innodb_flush_log_at_trx_commit: 0,
      innodb_doublewrite: 0,
      performance_schema: 'OFF',
    },
  })
  const started = startDaemon(places, { name: 'mariadb', argv: ['mariadbd', `--defaults-file=${file}`] })
  await started.ready(async () => succeeds(sql(places, 'SELECT 1')))
  const create = DATABASES.map((name) => `CREATE DATABASE ${name} CHARACTER SET utf8mb4;`).join(' ')
  await sql(places, `${create} CREATE USER ${USER}@'%' IDENTIFIED BY '${USER}'; GRANT ALL ON *.* TO ${USER}@'%';`)
}

export function databaseOptions(name: string): Groups[string] {
  return {
    connection: `mysql+pymysql://${USER}:${USER}@${CONTROLLER.address}/${name}`,
    max_pool_size: 5,
    max_overflow: 20,
  }
}

async function sql(places: Places, statements: string): Promise<string> {
  return await command(places, [
    'mariadb',
    '--no-defaults',
    `--socket=${places.databaseSocket}`,
    '--user=root',
    `--execute=${statements}`,
  ])
}

async function succeeds(task: Promise<unknown>): Promise<boolean> {
  return await task.then(
    () => true,
    () => false,
  )
}
