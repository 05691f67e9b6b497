/** The doctor's findings. */
import type { Pairs } from './pairs.ts'

export const doctorTexts = {
  'doctor.about': [
    'Look at everything Cauce needs and say what to do; exit 1 when something fails',
    'Mirar todo lo que Cauce necesita y decir qué hacer; sale con 1 si algo falla',
  ],
  'doctor.mark.ok': ['ok', 'bien'],
  'doctor.mark.warn': ['warn', 'ojo'],
  'doctor.mark.fail': ['fail', 'mal'],
  'doctor.name.node': ['Node', 'Node'],
  'doctor.name.data': ['Data directory', 'Directorio de datos'],
  'doctor.name.key': ['Development key', 'Clave de desarrollo'],
  'doctor.name.disk': ['Free disk', 'Disco libre'],
  'doctor.name.port': ['Port', 'Puerto'],
  'doctor.name.server': ['Server', 'Servidor'],
  'doctor.name.database': ['Database', 'Base de datos'],
  'doctor.name.durability': ['Durability', 'Durabilidad'],
  'doctor.name.sandbox': ['Sandbox', 'Simulador'],
  'doctor.name.clock': ['Clock', 'Reloj'],
  'doctor.node.old': [
    'Install Node 20.20.2 or later; 24 is recommended.',
    'Instala Node 20.20.2 o posterior; se recomienda 24.',
  ],
  'doctor.node.outdated': [
    'It works, but Node {major} gets no security fixes any more. Node 24 is recommended.',
    'Funciona, pero Node {major} ya no recibe arreglos de seguridad. Se recomienda Node 24.',
  ],
  'doctor.data.new': [
    '{path} does not exist yet; the first start makes it',
    '{path} no existe todavía; lo crea el primer arranque',
  ],
  'doctor.data.elsewhere': ['{path}, the database in {location}', '{path}, la base de datos en {location}'],
  'doctor.data.gone': [
    'The database was kept in {location}, and that is gone. Put it back, or delete {file} to start with an empty one.',
    'La base de datos estaba en {location}, y eso ya no existe. Vuelve a ponerlo, o borra {file} para empezar con una vacía.',
  ],
  'doctor.data.unwritable': [
    'Nothing can be written there ({reason}). Change its permissions, or choose another with --data or CAUCE_DATA.',
    'No se puede escribir ahí ({reason}). Cambia sus permisos o elige otro con --data o CAUCE_DATA.',
  ],
  'doctor.data.temporary': [
    'It is in a temporary directory, which the system may empty. Fine for a try.',
    'Está en un directorio temporal, que el sistema puede vaciar. Vale para una prueba.',
  ],
  'doctor.key.none': ['none yet; it is made when it is needed', 'todavía no hay; se crea cuando hace falta'],
  'doctor.key.open': ['Others can read it. chmod 600 {path}', 'Otros pueden leerla. chmod 600 {path}'],
  'doctor.key.damaged': [
    'It cannot be read. Delete {path} to make a new one; tokens signed before stop working.',
    'No se puede leer. Borra {path} para crear otra; los tokens firmados antes dejan de valer.',
  ],
  'doctor.disk.free': ['{free} free at {path}', '{free} libres en {path}'],
  'doctor.disk.low': [
    'PostgreSQL stops writing when the disk is full. Make room.',
    'PostgreSQL deja de escribir cuando el disco se llena. Haz sitio.',
  ],
  'doctor.port.free': ['{port} is free', '{port} está libre'],
  'doctor.port.cauce': ['{port} is Cauce’s', '{port} es de Cauce'],
  'doctor.port.taken': ['{port} is taken ({reason})', '{port} está ocupado ({reason})'],
  'doctor.port.takenAdvice': [
    'Something else listens there. Choose another with --port or PORT.',
    'Otra cosa escucha ahí. Elige otro con --port o PORT.',
  ],
  'doctor.server.version': ['{url}, version {version}', '{url}, versión {version}'],
  'doctor.server.away': ['{url} does not answer ({reason})', '{url} no responde ({reason})'],
  'doctor.server.awayAdvice': [
    'Start it with “npm start”, or name another one with --url or CAUCE_URL.',
    'Arráncalo con «npm start», o indica otro con --url o CAUCE_URL.',
  ],
  'doctor.server.other': ['{url} answers, but is not Cauce', '{url} responde, pero no es Cauce'],
  'doctor.notAsked': ['not known while the server does not answer', 'no se sabe mientras el servidor no responda'],
  'doctor.database.ready': ['answers', 'responde'],
  'doctor.database.described': ['{database}, answers', '{database}, responde'],
  'doctor.database.away': ['does not answer ({reason})', 'no responde ({reason})'],
  'doctor.database.awayAdvice': [
    'The server waits for it and goes on by itself. Look at the database, and into {log}.',
    'El servidor la espera y sigue solo. Mira la base de datos, y dentro de {log}.',
  ],
  'doctor.durable': ['what is confirmed survives a crash', 'lo confirmado sobrevive a una caída'],
  'doctor.notDurable': ['confirmed orders can be lost in a crash', 'una caída puede perder pedidos confirmados'],
  'doctor.notDurableAdvice': [
    'fsync, full_page_writes and synchronous_commit must be on. The server’s log says which is not.',
    'fsync, full_page_writes y synchronous_commit tienen que estar activados. El registro del servidor dice cuál no.',
  ],
  'doctor.durabilityUnknown': [
    'not known: this server was not started from here; its log says',
    'no se sabe: este servidor no se arrancó desde aquí; su registro lo dice',
  ],
  'doctor.sandbox.ok': ['{url} answers', '{url} responde'],
  'doctor.sandbox.unknown': ['not known where it is', 'no se sabe dónde está'],
  'doctor.sandbox.away': ['{url} does not answer ({reason})', '{url} no responde ({reason})'],
  'doctor.sandbox.awayAdvice': [
    'Shipments wait until it is back. Restart the server to have it started, or check SANDBOX_URL.',
    'Los envíos esperan a que vuelva. Reinicia el servidor para que lo arranque, o revisa SANDBOX_URL.',
  ],
  'doctor.clock.same': ['within {seconds} s of the server’s', 'a menos de {seconds} s del servidor'],
  'doctor.clock.differs': ['{seconds} s from the server’s', 'a {seconds} s del servidor'],
  'doctor.clock.advice': [
    'Tokens are refused when clocks differ by much. Set this machine’s clock (NTP).',
    'Si los relojes difieren mucho se rechazan los tokens. Pon en hora esta máquina (NTP).',
  ],
  'doctor.allOk': ['Everything is fine.', 'Todo está bien.'],
  'doctor.withWarnings': ['It works; {count} to look at.', 'Funciona; hay {count} cosas que mirar.'],
  'doctor.failed': ['{count} must be mended.', 'Hay {count} cosas que arreglar.'],
} as const satisfies Pairs
