/** Starting and running the server. */
import type { Pairs } from './pairs.ts'

export const upTexts = {
  'up.about': [
    'Start the server and stay with it; Ctrl-C stops it',
    'Arrancar el servidor y quedarse con él; Ctrl-C lo para',
  ],
  'up.project': [
    'One of the three projects: 1 API and database, 2 queue and worker, 3 the whole platform (default)',
    'Uno de los tres proyectos: 1 API y base de datos, 2 cola y worker, 3 la plataforma entera (por defecto)',
  ],
  'up.port': [
    'Where it listens; 0 takes a free port (PORT, default 8080)',
    'Dónde escucha; 0 toma un puerto libre (PORT, por defecto 8080)',
  ],
  'up.host': [
    'The address it listens on (HOST, default 127.0.0.1)',
    'La dirección en la que escucha (HOST, por defecto 127.0.0.1)',
  ],
  'up.databaseUrl': [
    'A PostgreSQL of your own instead of the embedded one (DATABASE_URL)',
    'Un PostgreSQL propio en lugar del incluido (DATABASE_URL)',
  ],
  'up.sandboxUrl': [
    'A sandbox that is already running (SANDBOX_URL, default: one is started)',
    'Un simulador que ya está en marcha (SANDBOX_URL; por defecto se arranca uno)',
  ],
  'up.natsUrl': ['NATS JetStream as the transport (NATS_URL)', 'NATS JetStream como transporte (NATS_URL)'],
  'up.redisUrl': ['Redis for limits and caches (REDIS_URL)', 'Redis para límites y cachés (REDIS_URL)'],
  'up.services': [
    'Only these services, separated by commas (default: all)',
    'Solo estos servicios, separados por comas (por defecto: todos)',
  ],
  'up.logLevel': [
    'What goes to the log (LOG_LEVEL, default info); debug and trace are shown too, like --logs',
    'Lo que va al registro (LOG_LEVEL, por defecto info); debug y trace además se muestran, como con --logs',
  ],
  'up.logs': [
    'Show every log line, not only warnings and errors; as JSON when stderr is no terminal',
    'Mostrar todas las líneas del registro, no solo avisos y errores; como JSON si stderr no es un terminal',
  ],
  'up.starting': ['Starting Cauce, data in {data}', 'Arrancando Cauce, datos en {data}'],
  'up.first': [
    'First start: a database is made, which takes a few seconds …',
    'Primer arranque: se crea una base de datos, tarda unos segundos …',
  ],
  'up.step.database': ['The database is up', 'La base de datos está en marcha'],
  'up.step.schemas': ['The tables are made', 'Las tablas están creadas'],
  'up.step.sandbox': ['The sandbox (carrier) is up', 'El simulador (transportista) está en marcha'],
  'up.still': ['Still starting, {seconds} s so far …', 'Sigue arrancando, van {seconds} s …'],
  'up.running': ['Cauce is running at {url}', 'Cauce está en marcha en {url}'],
  'up.try': ['Try it, in another terminal:', 'Pruébalo en otro terminal:'],
  'up.database': ['Database', 'Base de datos'],
  'up.logFile': ['Log', 'Registro'],
  'up.docs': ['API', 'API'],
  'up.stopHint': ['Ctrl-C stops it.', 'Ctrl-C lo para.'],
  'up.notDurable': [
    'The database may lose what it has confirmed: its settings trade safety for speed. See the log.',
    'La base de datos puede perder lo que ha confirmado: sus ajustes cambian seguridad por velocidad. Mira el registro.',
  ],
  'up.stopping': [
    'Stopping: what was begun is finished first (again Ctrl-C ends it at once) …',
    'Parando: antes se termina lo empezado (otro Ctrl-C lo corta ya) …',
  ],
  'up.stopped': ['Stopped.', 'Parado.'],
  'up.killed': ['It did not stop in time and was ended.', 'No paró a tiempo y se ha cortado.'],
  'up.failed': ['The server did not start ({how}).', 'El servidor no arrancó ({how}).'],
  'up.died': ['The server ended unexpectedly ({how}).', 'El servidor terminó de forma inesperada ({how}).'],
  'up.restartHint': [
    'Nothing that was confirmed is lost: start it again and it goes on where it was.',
    'No se pierde nada de lo confirmado: arráncalo otra vez y sigue donde estaba.',
  ],
  'up.lastLines': ['The log {file} ends with:', 'El registro {file} termina con:'],
  'up.exitCode': ['exit code {code}', 'código de salida {code}'],
  'up.exitSignal': ['signal {signal}', 'señal {signal}'],
  'up.already': [
    'Cauce is running at {url} already. Use that one, stop it, or take another port with --port.',
    'Cauce ya está en marcha en {url}. Usa ese, páralo o toma otro puerto con --port.',
  ],
  'up.waitingForPort': [
    'Another server is stopping on {url}; waiting for it …',
    'Otro servidor se está parando en {url}; se le espera …',
  ],
} as const satisfies Pairs
