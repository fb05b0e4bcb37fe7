//! Marks and comments: added to the selected entry, and found again. They are kept by the runtime; the log tells of
//! them once they are.

use super::actions::Annotate;
use super::{App, Context, Effect, Keeping, Mistake, Overlay, Prompt, Severity, Wanted};
use crate::model::{Annotation, EntryId};

impl App {
    pub(super) fn annotate(
        &mut self,
        annotate: Annotate,
        argument: &str,
        context: &Context<'_>,
        out: &mut Vec<Effect>,
    ) {
        let number = match self.target(context) {
            Ok(number) => number,
            Err(why) => return self.notify(Severity::Warning, why, context),
        };
        match annotate {
            Annotate::Mark => {
                let annotation = self.annotation(number, context);
                let marked = !annotation.marked;
                self.keep(number, Annotation { marked, ..annotation }, context, out);
            }
            Annotate::Comment if argument.is_empty() => {
                let comment = match &self.commenting {
                    Some((last, text)) if *last == number => text.clone(),
                    Some(_) | None => self.annotation(number, context).comment.unwrap_or_default(),
                };
                self.overlay = Some(Overlay::Prompt(Prompt::new(Wanted::Comment(number), &comment)));
            }
            Annotate::Comment => self.comment(number, argument, context, out),
            Annotate::Next => {
                self.go_to_mark(context.records.annotated_after(number), context);
            }
            Annotate::Previous => {
                self.go_to_mark(context.records.annotated_before(number), context);
            }
        }
    }

    /// Says this about an entry, or nothing any more. If that cannot be kept, the prompt comes back with the text.
    pub(super) fn comment(
        &mut self,
        number: EntryId,
        text: &str,
        context: &Context<'_>,
        out: &mut Vec<Effect>,
    ) {
        let text = text.trim();
        let annotation = Annotation {
            comment: (!text.is_empty()).then(|| text.to_owned()),
            ..self.annotation(number, context)
        };
        if annotation != self.annotation(number, context) {
            self.commenting = Some((number, text.to_owned()));
            self.keep(number, annotation, context, out);
        }
    }

    /// The runtime has kept what was added to an entry, or could not.
    pub(super) fn annotated(
        &mut self,
        number: EntryId,
        annotation: &Annotation,
        result: Result<Keeping, String>,
        context: &Context<'_>,
    ) {
        self.annotating
            .take_if(|(last, kept)| *last == number && kept == annotation);
        let comment = annotation.comment.as_deref().unwrap_or_default();
        match result {
            Ok(keeping) => {
                self.commenting
                    .take_if(|(last, text)| *last == number && text == comment);
                if keeping == Keeping::ForNow {
                    let text =
                        "kept until you quit: what came through a pipe has no file to keep this beside";
                    self.notify(Severity::Info, text, context);
                }
            }
            Err(why) if self.wrote(number, comment) => self.ask_again(number, comment, why, context),
            Err(why) => self.notify(Severity::Error, why, context),
        }
    }

    /// Whether this is what was written about an entry and is not kept yet.
    fn wrote(&self, number: EntryId, comment: &str) -> bool {
        matches!(&self.commenting, Some((last, text)) if *last == number && text == comment)
    }

    /// The prompt with what could not be kept, and why. Nothing else that is open gives way to it: then the text comes
    /// back with the next prompt.
    fn ask_again(&mut self, number: EntryId, comment: &str, why: String, context: &Context<'_>) {
        let wanted = Wanted::Comment(number);
        let prompt = match self.overlay.take() {
            Some(Overlay::Prompt(prompt)) if prompt.wanted == wanted => prompt,
            None => Prompt::new(wanted, comment),
            Some(other) => {
                self.overlay = Some(other);
                return self.notify(Severity::Error, why, context);
            }
        };
        self.overlay = Some(Overlay::Prompt(Prompt {
            error: Some(Mistake {
                at: 0..0,
                message: why,
            }),
            ..prompt
        }));
    }

    fn keep(
        &mut self,
        number: EntryId,
        annotation: Annotation,
        context: &Context<'_>,
        out: &mut Vec<Effect>,
    ) {
        if annotation == self.annotation(number, context) {
            return;
        }
        self.annotating = Some((number, annotation.clone()));
        out.push(Effect::Annotate(number, annotation));
    }

    /// What is kept of an entry, or will be in a moment.
    fn annotation(&self, number: EntryId, context: &Context<'_>) -> Annotation {
        match &self.annotating {
            Some((last, annotation)) if *last == number => annotation.clone(),
            Some(_) | None => context.records.annotation(number).unwrap_or_default(),
        }
    }

    fn go_to_mark(&mut self, mark: Option<EntryId>, context: &Context<'_>) {
        if let Some(number) = mark {
            return self.goto_number(number, context);
        }
        let text = match (context.records.annotations(), &self.filter) {
            (0, _) => "nothing is marked yet: m marks an entry, ; comments on it",
            (_, None) => "there is no mark further on: ' lists all of them",
            (_, Some(_)) => "the filter shows no mark further on: ' lists all of them",
        };
        self.notify(Severity::Info, text, context);
    }
}
