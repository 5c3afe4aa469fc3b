"""The operators' console: pages on 127.0.0.1 over the operators' function, with the rights of the person who runs it.

Each screen is the face of commands. It asks `Session.ask` and `Session.change` as the command line does, and shows the
command lines that do the same. Nothing is deployed for it.

How to add a screen
-------------------
1. A module in `screens/` with one `Screen`: its address, its views (GET) and its actions (POST).

       def _show(request: ScreenRequest) -> Page:
           items = request.session.ask("count_dead_letters")["items"]
           return Page(template="dead_letters.html", title="Dead letters", values={"items": items},
                       commands=(request.command("dlq", "ls"),))

       def _purge(request: ScreenRequest) -> Done:
           request.change("purge_dead_letters", queue=request.form["queue"])
           return Done(location="/dead-letters", message="The dead letters are gone.")

       DEAD_LETTERS = Screen(name="dead-letters", title="Dead letters", path="/dead-letters",
                             views=(View("/dead-letters", _show),),
                             actions=(Action("/dead-letters/purge", _purge, shown_by=_show),))

2. A line in `registry.py`.
3. A template in `templates/` that begins with

       {% extends "layout.html" %}
       {% import "parts.html" as ui with context %}

   The macros of `parts.html` draw tables, forms, badges and empty states; `chart.html` draws charts. Every value from
   outside goes through the filter `shown`; nothing is marked as safe.
4. Its cases in `tests/unit/ops/console/`: the tests of all screens run over `registry.SCREENS`.

What the server does for every screen
-------------------------------------
- It refuses other hosts and origins, requests without the session's cookie, and changes without `--write`.
- A view that raises `OperatorError` becomes a page that says what happened and what to do next.
- An action runs once for each form, whatever a second tab, a reload or a second click sends (`forms.py`). Its reason is
  checked; in production the environment's name is typed. Afterwards the browser is sent to `Done.location`.
- An action that raises `OperatorError` shows the page of `shown_by` again, with the error and what was typed.
- Slow parts of a page are asked at the same time and with a deadline: `parts.gather`.
"""
