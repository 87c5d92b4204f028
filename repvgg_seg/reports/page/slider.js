'use strict';
// Lays the three pictures of an example over each other, with a slider that fades from one to the next.
document.querySelectorAll('.slides').forEach((slides, number) => {
  const layers = Array.from(slides.children);
  const names = layers.map((layer) => layer.querySelector('span').textContent);
  const input = document.createElement('input');
  Object.assign(input, { type: 'range', min: 0, max: layers.length - 1, step: 0.1, value: 0, id: 'slider' + number });
  const label = document.createElement('label');
  Object.assign(label, { htmlFor: input.id, textContent: 'Show' });
  const output = document.createElement('output');
  output.htmlFor = input.id;
  function show() {
    const place = Number(input.value);
    const lower = Math.floor(place);
    layers.forEach((layer, i) => { layer.style.opacity = i ? Math.min(1, Math.max(0, place - i + 1)) : 1; });
    const words = place === lower ? names[lower] : names[lower] + ' and ' + names[lower + 1];
    output.textContent = words;
    input.setAttribute('aria-valuetext', words);
  }
  input.addEventListener('input', show);
  const control = document.createElement('div');
  control.className = 'control';
  control.append(label, input, output);
  slides.after(control);
  slides.classList.add('moving');
  show();
});
