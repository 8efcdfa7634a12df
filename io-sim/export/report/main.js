/**
 * Puts a report together: what is the same for everybody once, and what depends on whom one looks at with each choice.
 */
(() => {
  const { report } = window;
  const root = document.getElementById("report");
  const perPerson = document.createElement("div");
  const people = report.chooser(() => {
    report.followers.length = kept;
    const { strips, plots, drops, sequence } = report;
    perPerson.replaceChildren(strips(), plots(), ...drops(), sequence());
  });
  const top = [report.header(people.choose), report.scrubber(), people.element];
  const bottom = [...report.injected(), report.log(), report.promises(), report.help()];
  // Those who follow the cursor from here on are redrawn with each choice.
  const kept = report.followers.length;
  root.append(...top, ...report.causes(), perPerson, ...bottom);
  people.choose("");
})();
