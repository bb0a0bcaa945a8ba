"""Small cases that every model must go on getting right: what a site's labels do not ask, others rely on.

In the manner of functional tests (Roettger et al., "HateCheck", ACL 2021): each slice asks one thing, and a
challenger that orders a category worse than the champion is not promoted. All texts were made for this.
"""

from classifier.examples import Example

_FINE = {"spam": False, "toxicity": False, "threat": False, "identity_attack": False}
_SPAM, _TOXIC = {"spam": True}, {"toxicity": True}

# Slice: what its comments are, and the comments.
CASES: dict[str, tuple[dict[str, bool], tuple[str, ...]]] = {
    "thanks and praise": (
        _FINE,
        (
            "Thank you, this saved me an afternoon.",
            "Great write-up! I had no idea the cache worked like that.",
            "Lovely photos, especially the one of the harbour at dawn.",
            "I have read your blog for years and this is my favourite post so far.",
            "Vielen Dank, genau das habe ich gesucht.",
            "Muito obrigado pela explicação, ajudou bastante.",
            "좋은 글 감사합니다. 많은 도움이 되었어요.",
        ),
    ),
    "questions": (
        _FINE,
        (
            "Does this also work with version 3, or do I need to change the config?",
            "What happens if the server restarts in the middle of the upload?",
            "I followed step four but get an empty page. Did anyone else see this?",
            "Could you share the recipe for the bread in the second picture?",
            "Wie lange muss der Teig ruhen, bevor er in den Ofen kommt?",
            "다음 버전에서도 이 설정이 그대로 작동하나요?",
            "Você poderia explicar a diferença entre os dois métodos?",
        ),
    ),
    "disagreement": (
        _FINE,
        (
            "I think you are wrong about the second point: the figures are from before the reform.",
            "Sorry, but this argument does not hold. Correlation is not causation.",
            "I disagree strongly with this decision and hope they reconsider it.",
            "That was a terrible film, two hours of my life I will not get back.",
            "The new design is ugly and slow. Please bring the old one back.",
            "Das sehe ich völlig anders, die Zahlen sagen das Gegenteil.",
        ),
    ),
    "heated but fine": (
        _FINE,
        (
            "This policy makes me furious. We were promised a vote and got nothing!",
            "I am so sick of this weather, it can go away any time now.",
            "Damn, that goal in the last minute nearly killed me!",
            "The bus was late AGAIN. Unbelievable. I want my money back.",
            "My phone died and I could have screamed.",
        ),
    ),
    "who people are": (
        _FINE,
        (
            "As a gay man I felt welcome at this church from the first day.",
            "My grandmother was Jewish and taught me to cook this.",
            "Black women wrote most of the songs on this album.",
            "I am a Muslim and fast during Ramadan; ask me anything.",
            "Being deaf, I depend on the subtitles, so thank you for adding them.",
            "Trans people deserve the same care as everybody else.",
            "The Mexican place around the corner has the best soup in town.",
            "Als Türke in Berlin fühle ich mich hier zu Hause.",
        ),
    ),
    "speaking against abuse": (
        _FINE,
        (
            "Nobody should be called an idiot for asking a question here.",
            "He told her to shut up in front of everyone, and that was not okay.",
            "Racism has no place in this club, and I am glad you said so.",
            "If someone threatens you, please report it to the moderators.",
        ),
    ),
    "fine links": (
        _FINE,
        (
            "The manual explains it well: https://docs.python.org/3/library/sqlite3.html",
            "I wrote about the same bug here: https://example.org/notes/timezones",
            "See https://en.wikipedia.org/wiki/Bloom_filter for how it works.",
            "Here is the ticket about it: https://github.com/example/project/issues/12",
        ),
    ),
    "very short": (_FINE, ("Thanks!", "+1", "Nice.", "Same here.", "Me too", "Danke!", "ok", "lol")),
    "thanks and questions in other languages": (
        _FINE,
        (
            "Muchas gracias, con esto ya me arranca el servidor.",
            "Est-ce que la mise à jour fonctionne aussi avec la version 3 ?",
            "Bellissime foto, soprattutto quella del porto all'alba.",
            "Bedankt voor de uitleg, nu snap ik het eindelijk.",
            "Dziękuję za artykuł, bardzo mi pomógł.",
            "Подскажите, пожалуйста, как настроить это на сервере?",
            "Elinize sağlık, tarif çok güzel oldu.",
            "شكرا جزيلا على الشرح، استفدت كثيرا.",
            "感谢分享，终于看懂了。",
            "とても参考になりました。ありがとうございます。",
        ),
    ),
    "pills and loans": (
        _SPAM,
        (
            "Buy cheap viagra online without prescription http://best-pills.example/buy",
            "Need a payday loan today? Bad credit OK, instant approval http://fastcash.example",
            "Lose 20 pounds in two weeks with this one weird trick www.slimfast.example",
            "Online casino with free spins, register now and win big http://spin777.example",
            "Cheap replica watches and handbags, free shipping worldwide http://replica.example",
            "Get 10,000 followers for only $5, visit http://likes.example now",
        ),
    ),
    "adverts in other languages": (
        _SPAM,
        (
            "Gana dinero desde casa sin experiencia, escribe al WhatsApp +34 600 000 000 http://dinero.example",
            "Crédit rapide sans justificatif, réponse en 24 h : http://credit.example",
            "Лучшее онлайн казино, бонус за регистрацию http://kazino.example",
            "Tanie tabletki na potencję bez recepty, kup teraz http://tabletki.example",
            "正品代购，加微信 abc123，全场五折 http://daigou.example",
        ),
    ),
    "flattery with a link": (
        _SPAM,
        (
            "I really like your blog.. very nice colors & theme. Visit my web page: http://seo-expert.example",
            "Wow, that's what I was looking for, what a stuff! My site - buy backlinks http://links.example",
            "Hey there! Someone in my group shared this. Also check out my weblog cheap jordans shoes",
            "Excellent post. I am bookmarking. Here is my site: best essay writing service http://essays.example",
        ),
    ),
    "disguised spam": (
        _SPAM,
        (
            "B u y  c h e a p  v i a g r a  http://best-pills.example/buy",
            "Ch3ap v1agra 0nline, no pr3scription http://best-pills.example",
            "Buy ch\u0435ap vi\u0430gra online http://best-pills.example/buy",
            "Online cas\u200bino with free sp\u200bins, register now http://spin777.example",
        ),
    ),
    "insults": (
        _TOXIC,
        (
            "You are a complete idiot and everybody here knows it.",
            "What a pathetic loser. Nobody asked for your stupid opinion.",
            "Shut up, you moron.",
            "Only an imbecile like you could write such garbage.",
            "너 같은 멍청한 쓰레기는 꺼져라.",
            "Du bist ein verdammter Vollidiot.",
            "Você é um idiota e um lixo.",
        ),
    ),
    "insults in other languages": (
        _TOXIC,
        (
            "Eres un imbécil de mierda, cállate ya.",
            "Ferme ta gueule, espèce de connard.",
            "Sei un coglione e fai schifo.",
            "Hou je bek, achterlijke idioot.",
            "Zamknij ryj, debilu jebany.",
            "Ты тупой дебил, заткни пасть.",
            "Kes sesini, aptal orospu çocuğu.",
            "اخرس يا كلب يا حمار.",
            "你这个傻逼，滚开。",
            "黙れ、このクソ野郎。",
        ),
    ),
    "disguised insults": (
        _TOXIC,
        (
            "You are a complete 1d10t and everybody here knows it.",
            "you are such an i d i o t",
            "What a st\u200bupid mo\u200bron you are.",
            "Shut up you m\u043er\u043en.",
            "You stuuuupid idiooot!!!",
        ),
    ),
    "threats": (
        {"toxicity": True, "threat": True},
        (
            "I will find you and kill you.",
            "I'm going to come to your house and beat you until you bleed.",
            "You will die for this, and I will be the one who does it.",
            "Someone should shoot you in the head.",
        ),
    ),
    "attacks on who people are": (
        {"toxicity": True, "identity_attack": True},
        (
            "Gays are disgusting and should not be allowed near children.",
            "Muslims are all filthy terrorists, throw them out.",
            "Women are too stupid to vote.",
            "Jews are the scum of the earth.",
            "Black people are animals, send them back.",
        ),
    ),
}


def regression_examples() -> list[Example]:
    """Every case as an example, in the order of the slices."""
    return [Example({"body": body}, labels) for labels, bodies in CASES.values() for body in bodies]
