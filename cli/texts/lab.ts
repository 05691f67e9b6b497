/** The labs. */
import type { Pairs } from './pairs.ts'

export const labTexts = {
  'lab.about': [
    'Labs: provoke a failure on real servers, see what fixes it, build a fix of your own. Without a name they are listed',
    'Labs: provocar un fallo en servidores de verdad, ver qué lo arregla y construir tu propio arreglo. Sin nombre, se listan',
  ],
  'lab.id': ['Which lab', 'Qué lab'],
  'lab.option.variant': [
    'Run only this variant, or grade the one in your own file (./mine.ts)',
    'Ejecutar solo esta variante, o evaluar la de un fichero tuyo (./mi-arreglo.ts)',
  ],
  'lab.option.scaffold': [
    'Write the variant that fails to a new file, to build your fix from',
    'Escribir la variante que falla en un fichero nuevo, para construir tu arreglo a partir de ella',
  ],
  'lab.option.seed': [
    'What chance decides follows from it; the pages show what seed 1 gives',
    'De ella sale lo que decide el azar; las páginas muestran lo que da la semilla 1',
  ],
  'lab.option.size': [
    'small is a quick look; it does not count as passed',
    'small es un vistazo rápido; no cuenta como superado',
  ],
  'lab.option.set': [
    'Another value for a parameter of the lab; may be repeated',
    'Otro valor para un parámetro del lab; se puede repetir',
  ],
  'lab.option.all': ['Run every lab', 'Ejecutar todos los labs'],
  'lab.option.phase': ['Run the labs of a phase', 'Ejecutar los labs de una fase'],
  'lab.option.explain': [
    'Read the page of the lab instead of running it',
    'Leer la página del lab en vez de ejecutarlo',
  ],

  'lab.usage.unknown': [
    'There is no lab {id}.{hint} List them: npx cauce lab',
    'No existe el lab {id}.{hint} Ver la lista: npx cauce lab',
  ],
  'lab.usage.needsLab': [
    '{option} needs a lab: npx cauce lab <id> {option} …',
    '{option} necesita un lab: npx cauce lab <id> {option} …',
  ],
  'lab.usage.needsRun': [
    '{option} needs something to run: a lab, --phase or --all.',
    '{option} necesita algo que ejecutar: un lab, --phase o --all.',
  ],
  'lab.usage.together': ['{one} and {other} do not go together.', '{one} y {other} no van juntos.'],
  'lab.usage.phase': [
    'There are no labs of phase {phase}. There are: {phases}',
    'No hay labs de la fase {phase}. Hay: {phases}',
  ],
  'lab.usage.set': [
    'Write it as name=value, with a whole number.',
    'Escríbelo como nombre=valor, con un número entero.',
  ],
  'lab.usage.parameter': [
    '{id} has no parameter {name}.{hint} It has: {possible}',
    '{id} no tiene el parámetro {name}.{hint} Tiene: {possible}',
  ],
  'lab.usage.noParameters': ['{id} has no parameters.', '{id} no tiene parámetros.'],
  'lab.usage.range': [
    '{name} cannot be {value}: for {id} it must be from {min} to {max}.',
    '{name} no puede ser {value}: en {id} tiene que estar entre {min} y {max}.',
  ],
  'lab.usage.variant': [
    '{id} has no variant {name}, and there is no such file.{hint} It has: {possible}',
    '{id} no tiene la variante {name}, y tampoco hay un fichero así.{hint} Tiene: {possible}',
  ],
  'lab.usage.noFile': [
    'There is no file {path}. To start one: npx cauce lab {id} --scaffold {path}',
    'No existe el fichero {path}. Para empezar uno: npx cauce lab {id} --scaffold {path}',
  ],
  'lab.usage.noOwn': [
    '{id} is there to be watched: it takes no variant of your own. These do: {possible}',
    '{id} es para mirar: no admite una variante tuya. Estos sí: {possible}',
  ],
  'lab.usage.notTypeScript': [
    'What is written is TypeScript: name a file that ends in .ts, not {path}.',
    'Lo que se escribe es TypeScript: da un fichero que acabe en .ts, no {path}.',
  ],
  'lab.usage.fileExists': [
    '{path} exists already and is left as it is. Name another file, or grade it: npx cauce lab {id} --variant {own}',
    '{path} ya existe y se deja como está. Da otro fichero, o evalúalo: npx cauce lab {id} --variant {own}',
  ],

  'lab.noAnswer': ['The labs do not start: {said}', 'Los labs no arrancan: {said}'],
  'lab.processEnded': ['The process of the lab ended ({how}).', 'El proceso del lab ha terminado ({how}).'],
  'lab.silent': [
    'Nothing happened for {seconds} s, so it was ended. A loop that never ends?',
    'No ha pasado nada durante {seconds} s, así que se ha terminado. ¿Un bucle sin fin?',
  ],
  'lab.stopping': ['Stopping; its servers are cleaned up …', 'Parando; se limpian sus servidores …'],
  'lab.failed': ['{id} could not be run: {message}', '{id} no se ha podido ejecutar: {message}'],
  'lab.notRead': [
    'What you have passed cannot be read; starting anew. {problem}',
    'No se puede leer lo que has superado; se empieza de nuevo. {problem}',
  ],
  'lab.notWritten': ['This is not remembered: {problem}', 'Esto no queda apuntado: {problem}'],

  'lab.list.intro': [
    'Each lab provokes a failure on real servers and shows what fixes it.',
    'Cada lab provoca un fallo en servidores de verdad y muestra qué lo arregla.',
  ],
  'lab.list.phase': ['Phase {number} · {title}', 'Fase {number} · {title}'],
  'lab.list.count': ['{passed} of {total} passed', '{passed} de {total} superados'],
  'lab.list.legend': [
    '✓ passed   ✗ failed last time   · not tried   ★ your own fix holds',
    '✓ superado   ✗ falló la última vez   · sin probar   ★ tu propio arreglo aguanta',
  ],
  'lab.next': ['Next', 'Siguiente'],
  'lab.allPassed': ['You have passed them all.', 'Los has superado todos.'],

  'lab.phase': ['{id} · phase {number}, {title}', '{id} · fase {number}, {title}'],
  'lab.watch': ['What to watch', 'En qué fijarse'],
  'lab.variants': ['Variants', 'Variantes'],
  'lab.expected.fails': ['must fail', 'debe fallar'],
  'lab.expected.holds': ['must hold', 'debe aguantar'],
  'lab.own': ['your own', 'la tuya'],
  'lab.parameters': ['Parameters (--set name=value)', 'Parámetros (--set nombre=valor)'],
  'lab.range': ['{about}, from {min} to {max}', '{about}, de {min} a {max}'],
  'lab.run': ['Seed {seed}, size {size}', 'Semilla {seed}, tamaño {size}'],
  'lab.starting': ['starting', 'arrancando'],

  'lab.column.variant': ['variant', 'variante'],
  'lab.column.expected': ['expected', 'esperado'],
  'lab.column.observed': ['observed', 'observado'],
  'lab.column.phase': ['phase', 'fase'],
  'lab.column.lab': ['lab', 'lab'],
  'lab.column.verdict': ['verdict', 'veredicto'],
  'lab.column.time': ['time', 'tiempo'],
  'lab.fails': ['fails', 'falla'],
  'lab.holds': ['holds', 'aguanta'],
  'lab.yes': ['yes', 'sí'],
  'lab.not': ['no', 'no'],
  'lab.seen': ['What was seen', 'Lo que se vio'],
  'lab.pass': ['passed', 'superado'],
  'lab.fail': ['not passed', 'no superado'],

  'lab.verdict.pass': [
    'Passed: the failure shows with {fails}, and {holds} holds.',
    'Superado: el fallo se ve con {fails} y {holds} aguanta.',
  ],
  'lab.verdict.passMany': [
    'Passed: the failure shows with {fails}, and every fix holds.',
    'Superado: el fallo se ve con {fails} y todos los arreglos aguantan.',
  ],
  'lab.verdict.only': ['{name} does what it should.', '{name} hace lo que debe.'],
  'lab.verdict.own': ['Your variant holds: {name}.', 'Tu variante aguanta: {name}.'],
  'lab.verdict.ownFails': [
    'Your variant does not hold: {name}. Its row shows what happened; compare it with the row of {naive}, the failure that it was to prevent.',
    'Tu variante no aguanta: {name}. Su fila muestra lo que pasó; compárala con la de {naive}, el fallo que tenía que evitar.',
  ],
  'lab.verdict.ownBroke': [
    'Your variant does not hold: {name} did not come to its end. Above is what was seen of it.',
    'Tu variante no aguanta: {name} no llegó al final. Arriba está lo que se vio.',
  ],
  'lab.verdict.notShown': [
    '{name} was to show the failure and did not.',
    '{name} tenía que mostrar el fallo y no lo ha hecho.',
  ],
  'lab.verdict.notHeld': ['{name} was to hold and did not.', '{name} tenía que aguantar y no lo ha hecho.'],
  'lab.verdict.ours': [
    'That is a mistake of the lab, not yours. It happened with seed {seed}.',
    'Eso es un fallo del lab, no tuyo. Ha pasado con la semilla {seed}.',
  ],
  'lab.verdict.values': [
    'These numbers may be too small for it: {values}. Without --set it shows.',
    'Puede que estos números sean demasiado pequeños: {values}. Sin --set sí lo muestra.',
  ],
  'lab.notCounted': [
    'It does not count as passed: only a whole run at default size does, with the lab’s own numbers.',
    'No cuenta como superado: solo cuenta una vuelta completa con el tamaño y los números del propio lab.',
  ],
  'lab.production': ['In Cauce', 'En Cauce'],
  'lab.page': ['The whole story: {page} ({command})', 'La historia entera: {page} ({command})'],
  'lab.build': ['Build a fix of your own', 'Construye tu propio arreglo'],

  'lab.scaffold.written': [
    '{path} is the variant that fails. Change it until it holds, and have it graded:',
    '{path} es la variante que falla. Cámbiala hasta que aguante y haz que se evalúe:',
  ],
  'lab.noPage': ['There is no page {path}.', 'No existe la página {path}.'],

  'lab.all.passed': ['{passed} of {total} passed in {took}.', '{passed} de {total} superados en {took}.'],
  'lab.all.look': ['To look at it', 'Para verlo'],
} as const satisfies Pairs
