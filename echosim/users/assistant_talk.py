"""Signs that a line was not said by the user who was to be played: English patterns, no model.

A model asked to play a user falls back into its trade: it offers help, speaks as the machine that it is,
declines, writes both sides of the talk, or talks about its instructions. All patterns need the first person
or a turn of phrase that users of a chat do not use: users, too, say "as an AI, can you ...", "happy to
explain", "good question" and "let me know what you think".
"""

from __future__ import annotations

import re


def _any_of(*patterns: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), flags)


_MACHINE = r"(?:AI|A\.I\.|artificial intelligence|(?:large )?language model|LLM|chat ?bot)"
_ASSISTANT = rf"(?:{_MACHINE}(?: language)?(?: model| assistant)?|(?:virtual|digital|helpful) assistant)"

_HELPS = _any_of(
    rf"\bas an? (?:\w+ )?{_ASSISTANT}[^.?!]{{0,30}},? (?:I|my|I'm|I've)\b(?! ask)",
    rf"\b(?:I'm|I am) (?:just |only |still |actually )?(?:an? |your )(?:\w+ )?{_ASSISTANT}\b",
    r"\b(?:I'm|I am) your (?:\w+ )?assistant\b",
    r"\bhow (?:can|may|could|might) I (?:help|assist|support)(?: you\b| today\b| with\b|\s*\?)",
    r"\bhow (?:can|may) I be of (?:help|assistance|service)\b",
    r"\bwhat (?:can|may) I (?:help|assist) you with\b",
    r"\b(?:I'm|I am) here to (?:help|assist|support|provide|answer|offer|listen)\b",
    r"\b(?:I'm|I am|I'd be|I would be|I'll be|always) (?:more than )?(?:happy|glad|pleased) to "
    r"(?:help|assist)\b",
    r"\bhappy to (?:answer|clarify|address) any\b",
    r"\blet me know (?:if|whether) you have any (?:\w+ )?(?:questions|concerns|doubts)\b",
    r"\b(?:feel free to|don't hesitate to|do not hesitate to) (?:ask|reach|contact)\b",
    r"\bif you (?:have|had) any (?:other |more |further |additional )?(?:questions|concerns)\b",
    r"\bif you (?:need|want|would like|'d like) (?:any |some )?(?:more |further |additional )?"
    r"(?:help|assistance)\b",
    r"\bwould you like me to\b",
    r"\banything else (?:that )?(?:I can|you(?:'d| would) like to (?:know|discuss|talk about|explore))\b",
    r"\bthank(?:s| you) for (?:reaching out|contacting|your (?:question|inquiry|message|patience))\b",
    r"\b(?:great|excellent|fantastic|wonderful) question\b",
    r"\bI (?:completely |totally |can )?understand your (?:frustration|curiosity|skepticism|scepticism)\b",
    r"\bI (?:would|'d) (?:strongly )?encourage you to\b",
    r"\b(?:I (?:would|'d)? ?(?:recommend|suggest|advise)|please|you should always) (?:that you )?"
    r"(?:consult(?:ing)?|speak(?:ing)? (?:to|with)|talk(?:ing)? (?:to|with)|see(?:ing)?) (?:with )?"
    r"(?:an? |your )(?:\w+ )?(?:doctor|physician|professional|provider|therapist|adviser|advisor|expert)\b",
    r"\bit(?:'s| is) (?:important|essential|crucial) to (?:note|consult|approach|clarify|rely)\b",
    r"\bI don't have (?:personal|real-time|access to|the ability)\b",
    r"\bI do not have (?:personal|real-time|access to|the ability)\b",
    r"\bmy (?:training data|knowledge cut-?off|last update|training cut-?off)\b",
    r"\bI was (?:created|developed|trained|programmed|built) by (?:OpenAI|Anthropic|Google|Meta|Mistral"
    r"|Alibaba)\b",
    r"^\s*(?:certainly|absolutely|of course|sure)[!,.]* (?:here(?:'s| is| are)|I can help|I'd be"
    r"|let's break)\b",
    r"\bI apologi[sz]e for (?:the|any|my) (?:confusion|misunderstanding|inconvenience|error)\b",
    r"\b(?:hope|glad) (?:this|that|I could) helps?\b(?!ed)",
)

_DECLINES = _any_of(
    r"\bI(?:'m sorry,? (?:but )?I| am sorry,? (?:but )?I| apologi[sz]e,? (?:but )?I)? ?"
    r"(?:can't|cannot|can not|won't|will not|(?:am|'m) (?:not able|unable) to|must decline to) "
    r"(?:assist|fulfil+|comply|role-?play|portray|impersonate|help (?:you )?(?:with|by)"
    r"|(?:engage|participate) in (?:this|that)|provide (?:you with|information|assistance|content|advice)"
    r"|(?:generate|create|produce|write) (?:content|text|messages?|responses?|this|that|such"
    r"|a (?:message|line|response|reply))|pretend to (?:believe|be (?:an?|someone)\b)|continue (?:with )?this"
    r"|adopt (?:a|this|that|the) (?:\w+ )?(?:role|persona|character|belief)"
    r"|(?:promote|spread|endorse) (?:false|mis|harm|conspirac|such|this|that))",
    r"\b(?:I'm|I am) not comfortable (?:playing|pretending|portraying|with (?:this|the) "
    r"(?:role|request|task))\b",
    r"\b(?:against|violates?) (?:my|the|our) (?:guidelines|programming|(?:content|usage|safety) polic)",
)

_BACKSTAGE = _any_of(
    r"(?<!your )(?<!a )\bsystem prompt\b",
    r"\b(?:these|the above|the given) instructions\b|\bmy instructions (?:are|say|were|tell|require)\b",
    r"\bmy (?:persona|prompt|role card|character card)\b",
    r"\bthis (?:persona|role-?play|prompt|simulation of a user)\b",
    r"\bthe (?:persona|role-?play|simulated user|dialogue act)\b",
    r"\b(?:stay|staying|remain|remaining|break|breaking|keep|keeping|out of|step out of) (?:in )?character\b",
    r"^\W*as (?:instructed|requested|per (?:the|your) instructions),",
    r"\b(?:push_back|change_topic|words_max|words_min|ask_settled)\b",
    r"\b(?:dialogue|speech|conversational) act\b",
    r"\bword (?:limit|count)\b",
    r"[(\[]\s*\d{1,3} words?\s*[)\]]",
    r"\bhere(?:'s| is| are) (?:my|the|a|an|your|one|another)(?: \w+){0,3} "
    r"(?:message|reply|response|line|version|draft|rewrite|attempt|continuation)\b",
    r"\b(?:rewritten|revised) (?:message|line|version|reply)\b",
    r"\b(?:the|this) user (?:believes|thinks|seems|(?:would|might|should) (?:say|reply|respond|push|ask))\b",
    r"\bplaying the (?:role|part) of\b",
    r"\bI(?: need|'m supposed| am supposed|'m asked| am asked) to (?:write|play|respond as|answer as)\b",
    r"\bwhom you play\b|\bwrite this message again\b|\bthe chat window is open\b",
    r"</?think",
)

_SPEAKER = (
    r"(?:user|assistant|human|ai|bot|chatbot|system|model|you|me|persona|character|speaker ?\d?"
    r"|person ?[ab\d]|response|reply|message|answer|output|gpt|chatgpt|claude|gemini)"
)
_LABEL_FIRST = re.compile(
    rf"^[ \t*_#>\-\[(]{{0,6}}{_SPEAKER}[\s*_\])]{{0,4}}[:：](?!/)", re.IGNORECASE | re.MULTILINE
)
_LABEL_WITHIN = re.compile(
    r"[.!?…\"”)*]\s+[\s*_\[(]{0,4}(?:User|USER|Assistant|ASSISTANT|Human|HUMAN|AI|Bot|System|SYSTEM|Chatbot|ChatGPT)"
    r"[\s*_\])]{0,4}[:：]"
)
_TEMPLATE = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<eos>|<bos>|<\|[a-z_]+$|▁<"
)


def helps(text: str) -> bool:
    """Speaks as an assistant: offers help, names itself a model, advises like one."""
    return _HELPS.search(_straight(text)) is not None


def declines(text: str) -> bool:
    """Declines to play or to answer, in words."""
    return _DECLINES.search(_straight(text)) is not None


def is_backstage(text: str) -> bool:
    """Talks about prompt, persona, act or length: about the play and not in it."""
    return _BACKSTAGE.search(_straight(text)) is not None


def is_transcript(text: str) -> bool:
    """Holds labels of speakers, tokens of a chat template, or several turns."""
    return any(sign.search(text) is not None for sign in (_LABEL_FIRST, _LABEL_WITHIN, _TEMPLATE))


def _straight(text: str) -> str:
    return text.replace("’", "'")
