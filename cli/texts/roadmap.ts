/** The roadmap. */
import type { Pairs } from './pairs.ts'

export const roadmapTexts = {
  'roadmap.about': [
    'The roadmap: every concept and practice, what you have passed, where each lives',
    'La hoja de ruta: cada concepto y práctica, lo que has superado y dónde vive cada cosa',
  ],
  'roadmap.option.phase': ['Only this phase', 'Solo esta fase'],
  'roadmap.intro': [
    'A roadmap to serious architecture. The whole of it with links: docs/roadmap.md. Terms: docs/glossary.md.',
    'Una hoja de ruta hacia la arquitectura seria. Entera y con enlaces: docs/roadmap.es.md. Términos: docs/glossary.es.md.',
  ],
  'roadmap.legend': [
    '✓ all its labs are passed   ◐ some   ○ none yet   · to read   … still to come',
    '✓ todos sus labs superados   ◐ algunos   ○ ninguno aún   · para leer   … por venir',
  ],
  'roadmap.practice': ['Practice', 'Práctica'],
  'roadmap.project': ['Project', 'Proyecto'],
  'roadmap.toCome': ['still to come', 'por venir'],
} as const satisfies Pairs
