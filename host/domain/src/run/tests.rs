mod budget;
mod cut_off;
mod fold;
mod single;
mod stage;
mod teams;
