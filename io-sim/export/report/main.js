/**
 * Puts a report together: what is the same for everybody once, and what depends on whom one looks at with each choice.
 */
(() => {
  const { report } = window;
  const root = document.getElementById("report");
  const perPerson = document.createElement("div");
  const people = report.chooser(() => {
    report.followers.length = kept;
    report.lookers.length = keptLookers;
    const { strips, screens, plots, drops, sequence, log } = report;
    perPerson.replaceChildren(strips(), ...screens(), plots(), ...drops(), sequence(), log());
  });
  const top = [report.header(people.choose), report.scrubber(), people.element];
  const bottom = [...report.injected(), report.promises(), report.help()];
  // Those who follow the cursor and the sight from here on are redrawn with each choice.
  const kept = report.followers.length;
  const keptLookers = report.lookers.length;
  root.append(...top, ...report.causes(), perPerson, ...bottom);
  people.choose(report.data.broken?.people ?? []);
})();
