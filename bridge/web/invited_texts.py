"""What the page behind an invitation says, in the languages that it speaks. Data only."""

from __future__ import annotations

ENGLISH = {
    "title": "Connect a form or a service",
    "welcome": "This link lets you connect a website's form, or a service that can post, to a chat.",
    "once": "It works once. What you begin here ends after 30 minutes.",
    "begin": "Begin",
    "gone": "This link was used, or is too old. Ask for a new one.",
    "chat": "Which chat?",
    "leads_to": "goes to",
    "nowhere": "goes nowhere yet",
    "what": "What do you connect?",
    "form": "A form on a website",
    "service": "A service, a program or a script",
    "label": "What is it called?",
    "label_hint": "People in the chat see it, for example: Contact form",
    "fields": "Which fields has the form?",
    "name": "Name",
    "email": "E-mail",
    "phone": "Telephone",
    "message": "Message",
    "file": "File",
    "more_fields": "More fields, one a line",
    "site": "The website's address",
    "site_hint": "For example https://example.com. Only its pages may then send.",
    "make": "Make it",
    "too_many": "You have made as many as one link allows. Ask for a new link.",
    "bad_site": "Write the website's address as https://example.com, without a page behind it.",
    "bad_chat": "Choose a chat.",
    "ready": "It is ready",
    "only_now": "Copy it now: it is shown this once.",
    "snippet": "Paste this into the page, where the form shall be:",
    "snippet_trap": "Leave the hidden field in: people do not see it, and who fills it in is a robot.",
    "url": "The URL to post to:",
    "curl": "Or try it in a terminal:",
    "secret": "Who has this URL can post to the chat. Keep it like a password.",
    "public": "Every visitor can see this key. It can only be used to send this form, a few times a minute.",
    "copy": "Copy",
    "copied": "Copied",
    "test": "Send a test message",
    "test_words": "A test message from the set-up page",
    "test_sent": "The test message",
    "test_refused": "The test was refused:",
    "test_missing": "It was taken, but is not in the journal yet. Look again in a moment.",
    "again": "Look again",
    "delivered": "arrived",
    "waiting": "on its way",
    "skipped": "left out by a rule",
    "dead": "not delivered",
    "no_target": "It was taken, and no route leads on from this chat.",
    "another": "Connect another one",
    "send": "Send",
    "leave_empty": "Leave this empty",
}

RUSSIAN = {
    "title": "Подключить форму или сервис",
    "welcome": "По этой ссылке можно подключить к чату форму на сайте или сервис, который умеет отправлять запросы.",
    "once": "Ссылка срабатывает один раз. Начатое здесь заканчивается через 30 минут.",
    "begin": "Начать",
    "gone": "Ссылка уже использована или устарела. Попросите новую.",
    "chat": "В какой чат?",
    "leads_to": "попадает в",
    "nowhere": "пока никуда не попадает",
    "what": "Что вы подключаете?",
    "form": "Форму на сайте",
    "service": "Сервис, программу или скрипт",
    "label": "Как это называется?",
    "label_hint": "Название увидят в чате, например: Форма обратной связи",
    "fields": "Какие поля в форме?",
    "name": "Имя",
    "email": "Электронная почта",
    "phone": "Телефон",
    "message": "Сообщение",
    "file": "Файл",
    "more_fields": "Другие поля, по одному в строке",
    "site": "Адрес сайта",
    "site_hint": "Например, https://example.com. Отправлять смогут только его страницы.",
    "make": "Создать",
    "too_many": "По одной ссылке больше создать нельзя. Попросите новую.",
    "bad_site": "Напишите адрес сайта в виде https://example.com, без страницы после него.",
    "bad_chat": "Выберите чат.",
    "ready": "Готово",
    "only_now": "Скопируйте сейчас: это показывается один раз.",
    "snippet": "Вставьте это в страницу, туда, где должна быть форма:",
    "snippet_trap": "Не убирайте скрытое поле: люди его не видят, а кто его заполнил, тот робот.",
    "url": "Адрес, на который отправлять запросы:",
    "curl": "Или попробуйте в терминале:",
    "secret": "У кого есть этот адрес, тот может писать в чат. Храните его как пароль.",
    "public": "Этот ключ видит каждый посетитель. Им можно только отправить эту форму, несколько раз в минуту.",
    "copy": "Скопировать",
    "copied": "Скопировано",
    "test": "Отправить пробное сообщение",
    "test_words": "Пробное сообщение со страницы настройки",
    "test_sent": "Пробное сообщение",
    "test_refused": "Пробное сообщение не принято:",
    "test_missing": "Сообщение принято, но в журнале его ещё нет. Проверьте через минуту.",
    "again": "Проверить ещё раз",
    "delivered": "доставлено",
    "waiting": "в пути",
    "skipped": "пропущено по правилу",
    "dead": "не доставлено",
    "no_target": "Сообщение принято, но из этого чата никуда не идёт ни один маршрут.",
    "another": "Подключить ещё",
    "send": "Отправить",
    "leave_empty": "Оставьте это поле пустым",
}


def texts_for(accept_language: str) -> tuple[str, dict[str, str]]:
    """The language (for `lang=`) and its texts: the one of ours that the reader prefers, else English."""
    best, best_weight = "en", 0.0
    for entry in accept_language[:500].split(","):
        tag, _, weight = entry.partition(";q=")
        language = tag.strip().lower().partition("-")[0]
        try:
            value = float(weight) if weight else 1.0
        except ValueError:
            continue
        if language in ("en", "ru") and best_weight < value <= 1:
            best, best_weight = language, value
    return best, RUSSIAN if best == "ru" else ENGLISH
